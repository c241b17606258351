"""One owned partition: its fenced producer, its store, its position; each turn is one Kafka transaction.

The order in which it is opened matters: start the producer (which fences any predecessor and aborts what that left
open), end what the broker forgot to end, then read the changelog to its end, then seek.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from itertools import chain
from typing import Any

import orjson
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder
from kafka import TopicPartition as Place

from processors.changelog import meta_of, open_store
from processors.chunk import Chunk, fold_chunk
from processors.definitions_log import Library, NotRead, read_library
from processors.failures import Failures
from processors.hanging import last_transaction, write_lost_markers
from processors.records import Out, change_record, rejected_record
from processors.rejections import Rejections
from processors.store import Store
from processors.turn import Turn
from schemas.changes import IDENTITY_CHANGED, LIFECYCLE_CHANGED, SEGMENT_CHANGED
from schemas.clients import stop, within
from schemas.errors import Unavailable
from schemas.event import Tick
from schemas.settings import Settings
from schemas.state import POSITION_KEY, Position, new_position
from schemas.topics import (
    COMMANDS,
    EVENTS,
    IDENTITY_CHANGES,
    LIFECYCLE_CHANGES,
    REJECTED,
    SEGMENT_CHANGES,
    STATE,
    partition_of,
)

log = structlog.get_logger()
CACHE_BYTES = 8 * 1024 * 1024
"""Of all partitions of a worker together."""
RECORD_BYTES = 1_500
"""What a record takes while it is under way, beside the states and changes that it makes."""
CHANGE_BYTES = 1_000
CHANGE_TOPICS = {
    LIFECYCLE_CHANGED: LIFECYCLE_CHANGES,
    SEGMENT_CHANGED: SEGMENT_CHANGES,
    IDENTITY_CHANGED: IDENTITY_CHANGES,
}
BATCH_BYTES = 900_000
TRANSACTION_TIMEOUT_MS = 10_000
TRANSACTION_S = 12.0
START_S = 30.0
READABLE_S = 30.0
"""Until a definition can be read whose marker can: their transaction ends in each partition by itself."""


class Partition:
    """A partition that this worker owns."""

    def __init__(self, number: int, settings: Settings, library: Library) -> None:
        self.number, self.settings, self.library = number, settings, library
        self.events = TopicPartition(EVENTS.name(settings.namespace), number)
        self.commands = TopicPartition(COMMANDS.name(settings.namespace), number)
        self.position: Position = new_position()
        self.weight = 2 * RECORD_BYTES  # bytes that a record takes while it is under way, of the last chunk
        self.pace = 0.0  # CPU seconds that a record takes, of the last chunk
        self.fault: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self._lock = asyncio.Lock()
        self._failures = Failures()
        self._spoilt = False
        self._ticked_at = self._tick_offset = 0

    async def open(self) -> None:
        """Fence the predecessor, then bring the store and the position to the end of the changelog."""
        kafka, id_ = self.settings.kafka, f"{self.settings.namespace}-fold-{self.number}"
        last = await asyncio.to_thread(last_transaction, kafka, id_)
        try:
            await self._start_producer(id_)
            await asyncio.to_thread(write_lost_markers, kafka, last, self._written())
            self.store = await self._open_store()
        except BaseException:
            await stop(self.producer)
            raise
        self.position = self.store.position() or new_position()

    async def close(self) -> None:
        """Let go; a transaction that was left open is the successor's producer's to abort."""
        self._spoilt = True
        self.store.close()
        await stop(self.producer)

    @contextlib.asynccontextmanager
    async def _turns(self) -> AsyncIterator[None]:
        """One at a time, and none after one that failed: its outcome is unknown, so what follows it is too."""
        async with self._lock:
            if self._spoilt:
                raise KafkaError("the partition is to be opened again")
            try:
                yield
            except BaseException:
                self._spoilt = True
                raise

    async def fold(self, chunk: Chunk, rejections: Rejections) -> None:
        """Fold a chunk, a transaction a turn; definitions that were published meanwhile are read then.

        TooManyRejected, and nothing of that turn written, where `rejections` allows no more: a worker that is started
        again stops at the same place.
        """
        async with self._turns():
            deadline = time.monotonic() + READABLE_S
            while True:
                try:
                    return await self._fold(chunk, rejections)
                except NotRead:
                    if time.monotonic() > deadline:
                        raise
                self.library.take(await read_library(self.settings))

    async def _fold(self, chunk: Chunk, rejections: Rejections) -> None:
        position, read = self.position, chunk.size
        events = [record for record in chunk.events if record.offset >= position["events"]]
        commands = [record for record in chunk.commands if record.offset >= position["commands"]]
        begun = time.process_time()
        for turn in fold_chunk(position, Chunk(events, commands), self.store, self.library.compile):
            if read:
                held = sum(map(len, turn.states.values())) + CHANGE_BYTES * len(turn.changes)
                self.weight, self.pace = RECORD_BYTES + held // read, (time.process_time() - begun) / read
            rejections.count(read, turn.position["rejected"] - self.position["rejected"])
            await self._commit(turn)
            read = 0

    def wants_tick(self, at: int) -> bool:
        """Whether the clock runs and has not been told this time."""
        written = self._ticked_at if self._tick_offset > self.position["events"] else 0  # and not folded yet
        return self.position["running"] and at > max(self.position["clock_at"], written)

    async def tick(self, at: int) -> None:
        """Write a tick into the partition's own log, where it wants one."""
        async with self._turns():
            if self.wants_tick(at):
                value = Tick(at=at).model_dump_json().encode()
                ends = await self._transact({self.events: [Out(b"tick", value, [])]})
                self._ticked_at, self._tick_offset = at, ends[self.events]

    async def _commit(self, turn: Turn) -> None:
        """One transaction, then the store: a crash between the two is caught up from the changelog."""
        state = TopicPartition(STATE.name(self.settings.namespace), self.number)
        position = orjson.dumps(turn.position)
        out: dict[TopicPartition, Iterable[Out]] = {
            state: chain(
                (Out(key.encode(), value, []) for key, value in turn.states.items()),
                (Out(POSITION_KEY.encode(), position, []),),
            )
        }
        out |= self._outputs(turn)
        offsets = await self._transact(out)
        states = [*turn.states.items(), (POSITION_KEY, position)]
        due = [(key, before, now) for key, (before, now) in turn.due.items()]
        meta = meta_of(state, offsets[state], self.library.genesis.deployment)
        try:
            self.store.write(states, due, meta)
        except Exception as error:
            what = f"the local state cannot be written: {error}"
            raise Unavailable(what, str(self.store.path), "is the disk full?") from error
        self.position = turn.position
        self._failures.note(turn.failed)

    def _outputs(self, turn: Turn) -> dict[TopicPartition, Iterable[Out]]:
        namespace, out = self.settings.namespace, dict[TopicPartition, Iterable[Out]]()
        deployment = self.library.genesis.deployment
        for type_, topic in CHANGE_TOPICS.items():
            mine = [change for change in turn.changes if change.type == type_]
            if mine:
                place = TopicPartition(topic.name(namespace), self.number)
                out[place] = (change_record(change, deployment) for change in mine)
        if turn.rejected:
            now = _now()
            out[TopicPartition(REJECTED.name(namespace), 0)] = [
                rejected_record(record, why, now) for record, why in turn.rejected
            ]
        by_partition: dict[TopicPartition, list[Out]] = {}
        for command in turn.commands:
            to = partition_of(command.to, self.settings.partitions)
            target = TopicPartition(COMMANDS.name(namespace), to)
            by_partition.setdefault(target, []).append(
                Out(command.to.encode(), orjson.dumps(command.body), [])
            )
        return out | by_partition

    async def _transact(self, out: dict[TopicPartition, Iterable[Out]]) -> dict[TopicPartition, int]:
        """Write everything or nothing; gives the offset that follows the last record of each partition.

        TimeoutError after TRANSACTION_S, whatever it waits for: the broker has given the transaction up by then.
        """
        async with within(TRANSACTION_S):
            return await self._write(out)

    async def _write(self, out: dict[TopicPartition, Iterable[Out]]) -> dict[TopicPartition, int]:
        await self.producer.begin_transaction()
        sent: list[tuple[TopicPartition, int, asyncio.Future[Any]]] = []
        for partition, records in out.items():
            batch, count = self.producer.create_batch(), 0
            for key, value, head in records:
                if not append(batch, key, value, head):
                    sent.append((partition, count, await self._send(batch, partition)))
                    batch, count = self.producer.create_batch(), 0
                    append(batch, key, value, head)
                count += 1
            sent.append((partition, count, await self._send(batch, partition)))
        ends = {}
        for partition, count, future in sent:
            ends[partition] = (await future).offset + count
        await self.producer.commit_transaction()
        return ends

    async def _send(self, batch: BatchBuilder, partition: TopicPartition) -> "asyncio.Future[Any]":
        sent: asyncio.Future[Any] = await self.producer.send_batch(
            batch, partition.topic, partition=partition.partition
        )
        return sent

    async def _open_store(self) -> Store:
        reader = AIOKafkaConsumer(
            bootstrap_servers=self.settings.kafka,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=8 * 1024 * 1024,
        )
        topic = TopicPartition(STATE.name(self.settings.namespace), self.number)
        try:
            async with within(START_S):
                await reader.start()
            cache = CACHE_BYTES // self.settings.partitions
            path = self.settings.home / "state" / self.settings.namespace / str(self.number)
            return await open_store(path, cache, reader, topic, self.library.genesis.deployment)
        finally:
            await stop(reader)

    def _written(self) -> list[Place]:
        """Every partition that a turn or a tick may write."""
        namespace, count = self.settings.namespace, self.settings.partitions
        mine = [
            Place(topic.name(namespace), self.number) for topic in (EVENTS, STATE, *CHANGE_TOPICS.values())
        ]
        return [
            *mine,
            Place(REJECTED.name(namespace), 0),
            *(Place(COMMANDS.name(namespace), to) for to in range(count)),
        ]

    async def _start_producer(self, transactional_id: str) -> None:
        self.producer = AIOKafkaProducer(
            bootstrap_servers=self.settings.kafka,
            transactional_id=transactional_id,
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            max_batch_size=BATCH_BYTES,
            max_request_size=8 * 1024 * 1024,
            compression_type="zstd",  # aiokafka writes lz4 at level 9: five times the CPU for twice the bytes
            request_timeout_ms=TRANSACTION_TIMEOUT_MS,
        )
        async with within(START_S):
            await self.producer.start()


def append(batch: BatchBuilder, key: bytes, value: bytes, head: list[tuple[str, bytes]]) -> bool:
    """Whether a record found room in a batch; the first record of a batch always does."""
    return batch.append(timestamp=None, key=key, value=value, headers=head) is not None


def _now() -> int:
    return int(time.time() * 1000)
