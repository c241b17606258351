"""Writing synthetic events into the log, and reading from it how far the worker is."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

import orjson
from aiokafka import AIOKafkaProducer
from kafka import KafkaConsumer, TopicPartition

from bench.synthetic import Record
from schemas.event import Tick
from schemas.settings import Settings
from schemas.state import POSITION_KEY, Position
from schemas.topics import EVENTS, STATE

BATCH_BYTES = 256 * 1024
HOUR_MS = 3_600_000


@dataclass(slots=True)
class Written:
    """What is in the log, counted naively: events by record key, and the total of all orders."""

    events: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    orders: Decimal = Decimal(0)
    bytes: int = 0
    ticks: int = 0

    @property
    def count(self) -> int:
        """How many events."""
        return sum(self.events.values())


def write(settings: Settings, records: Iterable[Record], tick_ms: int = HOUR_MS) -> Written:
    """Write events as ingest does, and in every partition a tick at each whole `tick_ms` of their time of arrival."""
    return asyncio.run(_write(settings, records, tick_ms))


async def _write(settings: Settings, records: Iterable[Record], tick_ms: int) -> Written:
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka, enable_idempotence=True, acks="all", max_batch_size=BATCH_BYTES
    )
    await producer.start()
    topic, written = EVENTS.name(settings.namespace), Written()
    batches = [producer.create_batch() for _ in range(settings.partitions)]

    async def append(partition: int, at: int, key: bytes, value: bytes, keys: bytes | None) -> None:
        head = [] if keys is None else [("keys", keys)]
        if batches[partition].append(timestamp=at, key=key, value=value, headers=head) is None:
            await producer.send_batch(batches[partition], topic, partition=partition)
            batches[partition] = producer.create_batch()
            batches[partition].append(timestamp=at, key=key, value=value, headers=head)

    ticked = 0
    for partition, key, keys, at, value in records:
        if at // tick_ms != ticked:
            ticked = at // tick_ms
            tick = Tick(at=ticked * tick_ms).model_dump_json().encode()
            for number in range(settings.partitions):
                await append(number, at, b"tick", tick, None)
                written.ticks += 1
        await append(partition, at, key, value, keys)
        _count(written, key, value)
    for number, batch in enumerate(batches):
        await producer.send_batch(batch, topic, partition=number)
    await producer.stop()
    return written


def _count(written: Written, key: bytes, value: bytes) -> None:
    written.events[key.decode()] += 1
    written.bytes += len(value)
    if b'"Order Completed"' in value:
        written.orders += Decimal(orjson.loads(value)["properties"]["total"])


class Progress:
    """How far the worker has committed, read from the changelog of its states."""

    def __init__(self, settings: Settings) -> None:
        self._consumer = KafkaConsumer(
            bootstrap_servers=settings.kafka, enable_auto_commit=False, isolation_level="read_committed"
        )
        topic = STATE.name(settings.namespace)
        self._partitions = [TopicPartition(topic, number) for number in range(settings.partitions)]
        self._consumer.assign(self._partitions)

    def ends(self) -> dict[TopicPartition, int]:
        """Where the changelog ends; it moves with each commit."""
        ends: dict[TopicPartition, int] = self._consumer.end_offsets(self._partitions)
        return ends

    def folded(self) -> int:
        """Events folded so far: the sum over the partitions' newest positions (0 for one that was never written)."""
        return sum(position["folded"] for position in self.positions().values())

    def positions(self) -> dict[int, Position]:
        """The newest committed position of each partition: a transaction's last record but its marker.

        None is found where there is no transaction yet, or the last one was aborted.
        """
        found, ends = dict[int, Position](), self.ends()
        for partition, end in ends.items():
            self._consumer.seek(partition, max(0, end - 2))
        deadline = time.monotonic() + 2
        while (
            any(self._consumer.position(p) < end for p, end in ends.items()) and time.monotonic() < deadline
        ):
            for partition, records in self._consumer.poll(timeout_ms=50).items():
                for record in records:
                    if record.key.decode() == POSITION_KEY:
                        found[partition.partition] = orjson.loads(record.value)
        return found

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()
