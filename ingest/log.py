"""The way into the log: acknowledged by every in-sync replica, in bounded memory, or not at all.

A request that is not acknowledged within `PATIENCE` is answered "unavailable"; whether its records are in the
log is then unknown, its sender repeats it, and the worker counts each event once. What was handed to the
idempotent producer stays there until the broker has it, or for `LEFT` seconds. A partition that does not
acknowledge for `STUCK` seconds takes nothing new.
"""

import asyncio
import contextlib
import time
from collections import defaultdict, deque
from functools import partial

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from ingest.accept import Accepted
from ingest.answering import answering
from ingest.bodies import keyless
from ingest.lanes import Batch, Lane, Receipt, Record
from schemas import rejected
from schemas.clients import check, stop
from schemas.errors import Unavailable
from schemas.settings import Settings
from schemas.topics import EVENTS, REJECTED

PATIENCE = 5.0
STUCK = 2.0
LEFT = 30.0
"""Seconds after which a producer that holds a batch is given up, whatever it waits for."""
MAX_PENDING = 64 * 1024 * 1024
"""Bytes of records that may wait for their acknowledgement."""
BATCH_BYTES = 256 * 1024
WATCH_SECONDS = 0.25
CYCLE_SECONDS = 0.05
"""How long a batch that is not acknowledged may keep the other partitions from leaving."""

say = structlog.get_logger("ingest.log")


class Overloaded(Exception):
    """More is on its way to the log than memory may hold."""


class Log:
    """Writes to the events and rejected topics. `start` it once; `write` from any request; `stop` flushes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._events = [self._lane(EVENTS.name(settings.namespace), p) for p in range(settings.partitions)]
        self._rejected = self._lane(REJECTED.name(settings.namespace), 0)
        self._lanes = [*self._events, self._rejected]
        self._cycle: set[Lane] = set()
        self._wake = asyncio.Event()
        self._receipts: deque[Receipt] = deque()
        self._pending = 0
        self._broken = False
        self._tasks: list[asyncio.Task[None]] = []
        self.healthy = False

    async def start(self) -> None:
        """Connect; Unavailable where Kafka does not answer."""
        self._loop = asyncio.get_running_loop()
        self._producer = await _producer(self._settings)
        self.healthy = True
        self._tasks = [asyncio.create_task(self._pump()), asyncio.create_task(self._watch())]

    def write(self, accepted: Accepted, source: str, received_at: int) -> asyncio.Future[None]:
        """Put everything on its way; the future is done when the broker has it all.

        Overloaded and Unavailable are raised where nothing is put on its way; the future fails with
        Unavailable where the outcome is unknown.
        """
        if self._pending > MAX_PENDING:
            raise Overloaded
        now = time.monotonic()
        records = self._records(accepted, source, received_at)
        if self._producer is None or any(lane.late(now, STUCK) for lane in records):
            raise Unavailable("Kafka does not acknowledge", self._settings.kafka)
        receipt = Receipt(self._loop.create_future(), now + PATIENCE)
        for lane, its in records.items():
            lane.add(receipt, received_at, its)
        self._pending += accepted.size
        self._receipts.append(receipt)
        if not self._cycle:
            self._wake.set()
        return receipt.future

    def _records(self, accepted: Accepted, source: str, received_at: int) -> dict[Lane, list[Record]]:
        """What becomes of a request, by lane."""
        found: defaultdict[Lane, list[Record]] = defaultdict(list)
        lanes = self._events
        for identity, value in accepted.events:
            found[lanes[identity.partition]].append((identity.key, value, identity.headers))
        for rejection, message_id in accepted.refused:
            headers = rejected.headers(rejection, "ingest", received_at, message_id)
            found[self._rejected].append((source.encode(), keyless(rejection.original), headers))
        return found

    async def run(self) -> None:
        """Until `stop`, whoever is cancelled; raises what ended it before, for then nothing is written any more."""
        await asyncio.gather(*map(asyncio.shield, self._tasks))

    async def reachable(self) -> bool:
        """Whether Kafka answers now."""
        if self._producer is None or not self.healthy:
            return False
        with contextlib.suppress(Unavailable):
            async with answering(self._settings, STUCK):
                await self._producer.client.fetch_all_metadata()
                return True
        return False

    async def stop(self) -> None:
        """Wait, within `PATIENCE`, for everything on its way, then disconnect."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while waiting := [r.future for r in self._receipts if not r.future.done()]:
                    await asyncio.wait(waiting)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._producer is not None:
            await stop(self._producer)

    def _lane(self, topic: str, partition: int) -> Lane:
        return Lane(topic, partition, self._builder)

    def _builder(self) -> BatchBuilder:
        assert self._producer is not None
        return self._producer.create_batch()

    async def _pump(self) -> None:
        """Send what waits, a batch of each partition, together: a broker gets all of its own in one request.

        What arrives meanwhile leaves when all of them are acknowledged, or have had their time.
        """
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._broken:
                await self._reconnect()
            leaving = [lane for lane in self._lanes if lane.waiting and lane.flying is None]
            if leaving and not self._cycle:
                self._cycle = cycle = set(leaving)
                self._loop.call_later(CYCLE_SECONDS, self._let_go, cycle)
                for lane in leaving:
                    await self._depart(lane)

    def _let_go(self, cycle: set[Lane]) -> None:
        """Wait no longer for these."""
        if cycle:
            cycle.clear()
            self._wake.set()

    async def _depart(self, lane: Lane) -> None:
        assert self._producer is not None
        batch = lane.depart(time.monotonic())
        try:
            async with answering(self._settings, PATIENCE):
                future = await self._producer.send_batch(batch.builder, lane.topic, partition=lane.partition)
        except Unavailable as error:
            self._failed(lane, batch, error)
        else:
            future.add_done_callback(partial(self._landed, lane, batch))

    def _landed(self, lane: Lane, batch: Batch, future: asyncio.Future[object]) -> None:
        error = None if future.cancelled() else future.exception()
        if lane.flying is not batch:  # of a producer that was given up
            return
        if error is not None or future.cancelled():
            self._failed(lane, batch, error)
            return
        self._clear(lane, batch)
        for receipt in batch.receipts:
            receipt.acknowledge()

    def _failed(self, lane: Lane, batch: Batch, error: BaseException | None) -> None:
        """A gap in the producer's sequence numbers: nothing more can be sent with it."""
        say.error(
            "kafka refused a batch", topic=lane.topic, partition=lane.partition, error=type(error).__name__
        )
        self._give_up(lane, batch)
        self._broken = True
        self._wake.set()

    def _give_up(self, lane: Lane, batch: Batch) -> None:
        self._clear(lane, batch)
        for receipt in batch.receipts:
            receipt.fail(Unavailable("Kafka did not acknowledge", lane.topic))

    def _clear(self, lane: Lane, batch: Batch) -> None:
        lane.flying = None
        self._pending -= batch.size
        self._cycle.discard(lane)
        if not self._cycle:
            self._wake.set()

    async def _reconnect(self) -> None:
        """A new producer in place of a broken one; what the old one had in flight has an unknown outcome."""
        old, self._producer = self._producer, None
        self._broken = self.healthy = False
        for lane in self._lanes:
            for batch in (lane.flying, *lane.waiting):
                if batch is not None:
                    self._give_up(lane, batch)
            lane.waiting.clear()
        if old is not None:
            await stop(old)
        while self._producer is None:
            try:
                self._producer = await _producer(self._settings)
            except Unavailable:
                await asyncio.sleep(1)
        self.healthy = True
        say.info("kafka connected again")

    def _dead(self) -> bool:
        """Whether what the producer does unasked has ended: nothing that it is given leaves any more."""
        try:
            if self._producer is not None:
                check(self._producer)
        except Unavailable as error:
            say.error("a kafka client is dead, another is made", error=str(error))
            return True
        return False

    async def _watch(self) -> None:
        """Fail the receipts that are overdue; say once when Kafka goes silent, and once when it is back."""
        silent = False
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            now = time.monotonic()
            while self._receipts and (self._receipts[0].future.done() or self._receipts[0].due < now):
                if not (receipt := self._receipts.popleft()).future.done():
                    receipt.fail(Unavailable("Kafka does not acknowledge", self._settings.kafka))
            if any(lane.late(now, LEFT) for lane in self._lanes) or self._dead():
                self._broken = True
                self._wake.set()
            late = sum(lane.late(now, STUCK) for lane in self._lanes)
            stuck = bool(late) or self._producer is None
            if stuck != silent:
                silent = stuck
                self.healthy = not silent
                if silent:
                    say.error("kafka does not acknowledge", brokers=self._settings.kafka, partitions=late)
                else:
                    say.info("kafka acknowledges again")


async def _producer(settings: Settings) -> AIOKafkaProducer:
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka,
        enable_idempotence=True,
        acks="all",
        compression_type="zstd",
        max_batch_size=BATCH_BYTES,
        request_timeout_ms=10_000,
    )
    try:
        async with answering(settings, PATIENCE):
            await producer.start()
            for topic in (EVENTS, REJECTED):
                await producer.partitions_for(topic.name(settings.namespace))
    except Unavailable:
        await stop(producer)
        raise
    return producer
