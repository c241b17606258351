"""What aiokafka's clients do unasked, and how to live with it; it is not imported here."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import structlog

from schemas.errors import Unavailable

log = structlog.get_logger()
STOP_S = 5.0


@asynccontextmanager
async def within(seconds: float | None) -> AsyncIterator[None]:
    """Let what is awaited in here take so many seconds, or for ever where None; TimeoutError where it takes longer.

    A client lets out the cancellation of tasks of its own: a consumer's `stop` does that whose fetches are under way.
    Where nobody cancelled this task, that is a ConnectionAbortedError: let through, it would end the task as if it had
    been asked to, in silence.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise ConnectionAbortedError("a client gave up what it was asked") from None


async def stop(client: Any) -> None:
    """Stop a consumer or producer; give up on it after STOP_S.

    In a task of its own: where Kafka is gone, `stop` may hang, hear no cancellation, or raise that of another task, or
    what a task of the client's own has died of.
    """
    stopping = asyncio.create_task(client.stop())
    _, late = await asyncio.wait({stopping}, timeout=STOP_S)
    if late:
        stopping.cancel()
    elif not stopping.cancelled() and stopping.exception() is not None:
        log.warning("a Kafka client stopped badly", error=repr(stopping.exception()))


def check(client: Any) -> None:
    """Unavailable where a task of a consumer's or producer's own has ended: nothing begins it again.

    They end by an error that is none of Kafka's: uvloop raises a RuntimeError where a connection has just been lost.
    Of a consumer's place in its group aiokafka tells whenever it is polled from then on, of fetching it tells its log,
    and of metadata nobody: then whatever needs to know where the brokers are waits for ever.
    """
    for about, task in tasks_of(client):
        if task is not None and task.done():
            error = "it was cancelled" if task.cancelled() else task.exception() or "aiokafka's log tells why"
            what = f"the Kafka client's own task that {about} has ended: {error}"
            raise Unavailable(what, "Kafka", "started again, it goes on where it was")


def tasks_of(client: Any) -> Iterator[tuple[str, "asyncio.Task[Any] | None"]]:
    """What they are for, and the tasks; None where a consumer without a group needs none."""
    if hasattr(client, "_sender"):
        yield "sends", client._sender.sender_task  # noqa: SLF001 -- not to be had else
        yield "learns where the brokers are", client.client._sync_task  # noqa: SLF001
        return
    coordinating = getattr(client._coordinator, "_coordination_task", None)  # noqa: SLF001
    yield "keeps its place in the group", coordinating
    yield "fetches", client._fetcher._fetch_task  # noqa: SLF001
    yield "learns where the brokers are", client._client._sync_task  # noqa: SLF001
