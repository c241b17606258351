"""What aiokafka's clients do unasked, and how to live with it; it is not imported here."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from schemas.errors import Unavailable


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


def check(consumer: Any) -> None:
    """Unavailable where a task of a consumer's own has ended: nothing begins it again, and it hears nothing any more.

    They end by an error that is none of Kafka's, as of a connection that the loop has closed. aiokafka tells of the
    first of them whenever it is polled from then on, logs the second, and of the third it says nothing: then whatever
    needs to know where the brokers are waits for ever.
    """
    for about, task in tasks_of(consumer):
        if task is not None and task.done():
            error = "it was cancelled" if task.cancelled() else task.exception() or "aiokafka's log tells why"
            what = f"the Kafka consumer's own task that {about} has ended: {error}"
            raise Unavailable(what, "Kafka", "started again, it goes on where it was")


def tasks_of(consumer: Any) -> Iterator[tuple[str, "asyncio.Task[Any] | None"]]:
    """What they are for, and the tasks; None where a consumer without a group needs none."""
    coordinating = getattr(consumer._coordinator, "_coordination_task", None)  # noqa: SLF001 -- not to be had else
    yield "keeps its place in the group", coordinating
    yield "fetches", consumer._fetcher._fetch_task  # noqa: SLF001
    yield "learns where the brokers are", consumer._client._sync_task  # noqa: SLF001
