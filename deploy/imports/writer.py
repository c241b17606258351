"""The way of an import into the log: a transaction for each load, by one importer of a source at a time."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidProducerEpoch, KafkaError, OutOfOrderSequenceNumber, ProducerFenced
from kafka import TopicPartition
from kafka.errors import KafkaError as OtherKafkaError

from processors.hanging import last_transaction, write_lost_markers
from schemas.clients import stop
from schemas.errors import CdpError, Unavailable
from schemas.settings import Settings
from schemas.topics import EVENTS, IMPORTS

TIMEOUT_MS = 10_000
"""An open transaction stalls every reader of what it wrote to."""
BATCH_BYTES = 900_000
PATIENCE_S = 12.0
"""For one transaction; what became of it then, the next run reads."""
ABORT_S = 5.0
AGAIN = "run the same command again: it goes on where it was"
_FENCED = (ProducerFenced, InvalidProducerEpoch, OutOfOrderSequenceNumber)


class Out(NamedTuple):
    """A record; `topic` and `partition`: where to."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]
    at: int


class Writer:
    """Writes loads, each whole or not at all."""

    def __init__(self, producer: AIOKafkaProducer, settings: Settings) -> None:
        self._producer, self._kafka = producer, settings.kafka

    async def write(self, records: Iterable[Out]) -> None:
        """One transaction; Unavailable where Kafka does not take it, CdpError where another importer took over."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._producer.begin_transaction()
                sent = [await self._send(place, batch) for place, batch in self._batches(records)]
                for each in sent:
                    await each
                await self._producer.commit_transaction()
        except _FENCED:
            raise CdpError("another import of this source has taken over", hint=AGAIN) from None
        except (KafkaError, OSError, TimeoutError) as error:
            raise Unavailable(f"Kafka does not take it: {type(error).__name__}", self._kafka, AGAIN) from None

    async def abandon(self) -> None:
        """End what is open, so that nobody waits for it."""
        with suppress(Exception):
            async with asyncio.timeout(ABORT_S):
                await self._producer.abort_transaction()

    def _batches(self, records: Iterable[Out]) -> Iterable[tuple[tuple[str, int], Any]]:
        """The records in batches of their partitions, the partitions' first batches before their second ones."""
        filling: dict[tuple[str, int], list[Any]] = {}
        for record in records:
            place = record.topic, record.partition
            mine = filling.setdefault(place, [self._producer.create_batch()])
            said = {
                "timestamp": record.at,
                "key": record.key,
                "value": record.value,
                "headers": record.headers,
            }
            if mine[-1].append(**said) is None:  # full
                mine.append(self._producer.create_batch())
                mine[-1].append(**said)
        for number in range(max((len(batches) for batches in filling.values()), default=0)):
            for place, batches in filling.items():
                if number < len(batches):
                    yield place, batches[number]

    async def _send(self, place: tuple[str, int], batch: Any) -> "asyncio.Future[Any]":
        topic, partition = place
        sent: asyncio.Future[Any] = await self._producer.send_batch(batch, topic, partition=partition)
        return sent


@asynccontextmanager
async def writing(settings: Settings, source: str) -> AsyncIterator[Writer]:
    """Take over as the importer of a source: whoever was before is fenced, and what they left open has ended."""
    id_ = f"{settings.namespace}-import-{source}"
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka,
        transactional_id=id_,
        transaction_timeout_ms=TIMEOUT_MS,
        max_batch_size=BATCH_BYTES,
        max_request_size=8 * 1024 * 1024,
        compression_type="zstd",
        request_timeout_ms=TIMEOUT_MS,
    )
    try:
        try:
            last = await asyncio.to_thread(last_transaction, settings.kafka, id_)
            await producer.start()
            await asyncio.to_thread(write_lost_markers, settings.kafka, last, _written(settings))
        except (KafkaError, OtherKafkaError, OSError) as error:
            raise Unavailable(f"Kafka: {error}", settings.kafka, "is it running? `cdp status`") from error
        writer = Writer(producer, settings)
        try:
            yield writer
        except BaseException:
            await writer.abandon()
            raise
    finally:
        await stop(producer)


def _written(settings: Settings) -> list[TopicPartition]:
    """Every partition that an import may write."""
    events = EVENTS.name(settings.namespace)
    places = [TopicPartition(events, number) for number in range(settings.partitions)]
    return [*places, TopicPartition(IMPORTS.name(settings.namespace), 0)]
