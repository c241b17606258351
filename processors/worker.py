"""`cdp worker`: a Faust app that folds the partitions it is given.

    Poll (a Service)  -- chunk of one partition -->  channel  -->  agent  -- turns, a transaction each -->  Kafka

A partition has at most one chunk under way, of events and commands together; what arrives meanwhile is its next chunk.
Transactions of different partitions run concurrently. Faust's own consumer, producer and tables stay off:
`ChannelsOnly` says why.
"""

import asyncio
import gc
import logging
import signal
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, TypeVar

import faust
import structlog
from aiokafka.errors import KafkaError
from faust.app.base import BootStrategy

from processors.assignment import Assignment
from processors.definitions_log import read_library
from processors.rejections import Rejections
from processors.sparing import Sparing
from schemas.clients import check as check_tasks
from schemas.clients import within
from schemas.errors import Unavailable
from schemas.genesis import check
from schemas.settings import Settings

log = structlog.get_logger()
CHUNK = 8_000
POLL_MS = 50
TICK_CHECK_S = 1.0
OFFSETS_S = 2.0
DELETE_S = 30.0
RETRY_S = 1.0
LOST_S = 60.0
Made = TypeVar("Made")


class ChannelsOnly(BootStrategy):
    """No consumer, producer or tables of Faust: what they commit is not in one transaction with what it caused."""

    enable_kafka = False


class App(faust.App):
    """A Faust app of agents on channels."""

    BootStrategy = ChannelsOnly


def make_app(settings: Settings, assignment: Assignment) -> App:
    """The app: one agent that folds chunks, one service that polls them and lets the clock tick."""
    app = App(
        f"{settings.namespace}-fold",
        broker=f"kafka://{settings.kafka}",
        web_enabled=False,
        store="memory://",
        datadir=str(settings.home / "faust"),
        topic_disable_leader=True,
    )
    chunks: Any = app.channel(maxsize=1)
    rejections = Rejections(settings.max_rejected_share)

    @app.agent(chunks)
    async def fold(stream: Any) -> None:
        async for partition, chunk in stream:
            assignment.run(partition, partition.fold(chunk, rejections))

    app.service(_poll_service(assignment, chunks))
    return app


def _poll_service(assignment: Assignment, chunks: Any) -> type[faust.Service]:
    class Poll(faust.Service):
        async def on_start(self) -> None:
            chunks.app.flow_control.resume()  # Faust resumes agents when its own consumer is given partitions

        @faust.Service.task
        async def _poll(self) -> None:
            try:
                lost_since = None
                while not self.should_stop:
                    check_tasks(assignment.consumer)
                    try:
                        async with within(LOST_S):
                            polled = await assignment.poll(CHUNK, POLL_MS)
                    except (KafkaError, OSError) as error:
                        lost_since = await _bear(error, lost_since)
                        continue
                    lost_since = None
                    for one in polled:
                        await chunks.put(one)
            except Exception as error:  # noqa: BLE001 -- told once, by the worker's end
                assignment.fail(error)

        @faust.Service.timer(TICK_CHECK_S)
        async def _tick(self) -> None:
            assignment.tick(int(time.time() // 60 * 60_000))

        @faust.Service.timer(OFFSETS_S)
        async def _offsets(self) -> None:
            await assignment.commit_offsets()

        @faust.Service.timer(DELETE_S)
        async def _delete(self) -> None:
            await assignment.delete_consumed()

    return Poll


async def _bear(error: Exception, since: float | None) -> float:
    """Wait a moment, the log cannot be read just now; since when. Unavailable where that takes too long."""
    now = time.monotonic()
    if since is None:
        log.warning("the log cannot be read, trying on", error=repr(error))
        since = now
    if now - since > LOST_S:
        raise Unavailable(f"the log cannot be read for {LOST_S:.0f} s: {error!r}", "Kafka")
    await asyncio.sleep(RETRY_S)
    return since


def run(settings: Settings) -> None:
    """Fold until stopped. CdpError where it cannot go on."""
    spared = logging.StreamHandler()
    spared.addFilter(Sparing())
    logging.getLogger("aiokafka").addHandler(spared)
    gc.freeze()
    gc.set_threshold(500_000, 20, 20)  # states are trees without cycles: reference counts free them
    # Not uvloop: that raises a RuntimeError where a connection has just been lost, which ends aiokafka's own tasks.
    asyncio.run(_main(settings))


async def _main(settings: Settings) -> None:
    stopping = asyncio.Event()
    asyncio.get_running_loop().set_exception_handler(_on_lost)
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_, stopping.set)
    (settings.home / "faust").mkdir(parents=True, exist_ok=True)
    library = await _when_reachable(lambda: read_library(settings), settings, stopping)
    if library is None:
        return
    check(library.genesis, settings)
    async with AsyncExitStack() as left:
        entering = partial(left.enter_async_context, Assignment(settings, library))
        assignment = await _when_reachable(entering, settings, stopping)
        if assignment is None:
            return
        app = make_app(settings, assignment)
        await app.start()
        try:
            await _until(stopping, app, assignment.failed)
        finally:
            await app.stop()


def _on_lost(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An exception that nobody awaits, of a client's own task: ours all end the worker.

    Of a producer that failed it is one of many, told once as the fault.
    """
    error = context.get("exception")
    if not isinstance(error, KafkaError):
        log.warning("a client's task failed", about=context["message"], error=repr(error))


async def _when_reachable(
    work: Callable[[], Coroutine[Any, Any, Made]], settings: Settings, stopping: asyncio.Event
) -> Made | None:
    """What this makes, once Kafka answers; None where we are stopped before."""
    said, stop = False, asyncio.create_task(stopping.wait())
    try:
        while not stopping.is_set():
            making = asyncio.create_task(work())
            await asyncio.wait((making, stop), return_when=asyncio.FIRST_COMPLETED)
            try:
                if making.done():
                    return making.result()
                making.cancel()
                await asyncio.gather(making, return_exceptions=True)
            except (KafkaError, OSError) as error:
                if not said:
                    log.warning("Kafka cannot be reached, trying on", kafka=settings.kafka, error=str(error))
                said = True
                await asyncio.wait((stop,), timeout=RETRY_S)
        return None
    finally:
        stop.cancel()


async def _until(stopping: asyncio.Event, app: App, failed: asyncio.Future[None]) -> None:
    """Return when we are asked to stop; raise what ended the worker, if anything did."""
    stop, end = asyncio.create_task(stopping.wait()), asyncio.create_task(app.wait_until_stopped())
    await asyncio.wait((stop, end, failed), return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    end.cancel()
    await asyncio.gather(stop, end, return_exceptions=True)
    if failed.done():
        failed.result()
    if not stopping.is_set():
        raise app.crash_reason or RuntimeError("the app has stopped by itself")
