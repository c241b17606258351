"""`cdp worker`: a Faust app that folds the partitions it is given.

    Poll (a Service)  -- chunk of one partition -->  channel  -->  agent  -- turns, a transaction each -->  Kafka

A partition has at most one chunk under way; what arrives meanwhile is its next chunk. Transactions of different
partitions run concurrently. Faust's own consumer, producer and tables stay off: `ChannelsOnly` says why.
"""

import asyncio
import contextlib
import gc
import signal
import time
from collections import deque
from typing import Any

import faust
import structlog
import uvloop
from aiokafka.errors import KafkaError
from faust.app.base import BootStrategy

from processors.assignment import Assignment
from processors.definitions_log import Library, read_library
from processors.partition import Partition
from processors.records import LogRecord
from schemas.errors import TooManyRejected
from schemas.genesis import check
from schemas.settings import Settings

log = structlog.get_logger()
CHUNK = 8_000
POLL_MS = 50
TICK_CHECK_S = 1.0
OFFSETS_S = 2.0
RETRY_S = 1.0
WINDOW = 10_000
MIN_REJECTED = 200


class ChannelsOnly(BootStrategy):
    """No consumer, producer or tables of Faust: what they commit is not in one transaction with what it caused."""

    enable_kafka = False


class App(faust.App):
    """A Faust app of agents on channels."""

    BootStrategy = ChannelsOnly


class Rejections:
    """How much of the last WINDOW records was rejected; more than the set share stops the worker."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._chunks: deque[tuple[int, int]] = deque()
        self._read = self._rejected = 0

    def count(self, read: int, rejected: int) -> None:
        """Count a chunk; TooManyRejected where the share is passed."""
        self._chunks.append((read, rejected))
        self._read += read
        self._rejected += rejected
        while self._read - self._chunks[0][0] >= WINDOW:
            old = self._chunks.popleft()
            self._read -= old[0]
            self._rejected -= old[1]
        if self._rejected >= MIN_REJECTED and self._rejected > self._share * self._read:
            what = f"{self._rejected} of the last {self._read} records were rejected"
            raise TooManyRejected(
                what, "cdp.rejected.v1", "read why there; CDP_MAX_REJECTED_SHARE=1 lets all pass"
            )


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
        async for partition, topic, records in stream:
            assignment.run(partition, _fold(partition, topic, records, rejections))

    app.service(_poll_service(assignment, chunks))
    return app


def _poll_service(assignment: Assignment, chunks: Any) -> type[faust.Service]:
    class Poll(faust.Service):
        async def on_start(self) -> None:
            chunks.app.flow_control.resume()  # Faust resumes agents when its own consumer is given partitions

        @faust.Service.task
        async def _poll(self) -> None:
            while not self.should_stop:
                assignment.raise_failure()
                for polled in await assignment.poll(CHUNK, POLL_MS):
                    await chunks.put(polled)

        @faust.Service.timer(TICK_CHECK_S)
        async def _tick(self) -> None:
            assignment.tick(int(time.time() // 60 * 60_000))

        @faust.Service.timer(OFFSETS_S)
        async def _offsets(self) -> None:
            await assignment.commit_offsets()

    return Poll


async def _fold(partition: Partition, topic: str, records: list[LogRecord], rejections: Rejections) -> None:
    rejections.count(*await partition.fold(topic, records))


def run(settings: Settings) -> None:
    """Fold until stopped. CdpError where it cannot go on."""
    gc.freeze()
    gc.set_threshold(500_000, 20, 20)  # states are trees without cycles: reference counts free them
    uvloop.run(_main(settings))


async def _main(settings: Settings) -> None:
    stopping = asyncio.Event()
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_, stopping.set)
    (settings.home / "faust").mkdir(parents=True, exist_ok=True)
    library = await _when_reachable(settings, stopping)
    if library is None:
        return
    check(library.genesis, settings)
    async with Assignment(settings, library) as assignment:
        app = make_app(settings, assignment)
        await app.start()
        try:
            await _until(stopping, app)
        finally:
            await app.stop()
        assignment.raise_failure()


async def _when_reachable(settings: Settings, stopping: asyncio.Event) -> Library | None:
    """The definitions, once Kafka answers; None where we are stopped before."""
    said = False
    while not stopping.is_set():
        try:
            return await read_library(settings)
        except (KafkaError, OSError) as error:
            if not said:
                log.warning("Kafka cannot be reached, trying on", kafka=settings.kafka, error=str(error))
            said = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), RETRY_S)
    return None


async def _until(stopping: asyncio.Event, app: App) -> None:
    waits = [asyncio.create_task(stopping.wait()), asyncio.create_task(app.wait_until_stopped())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
