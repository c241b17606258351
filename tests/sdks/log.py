"""The events log, read on from where it was read before."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from kafka import KafkaConsumer, TopicPartition

from schemas.event import STATEMENTS
from schemas.settings import Settings
from schemas.topics import EVENTS


class Log:
    """Everything that customers did, so far."""

    def __init__(self, consumer: KafkaConsumer, partitions: list[TopicPartition]) -> None:
        self._consumer, self._partitions = consumer, partitions
        self._events: list[Any] = []

    def events(self) -> list[Any]:
        ends = self._consumer.end_offsets(self._partitions)
        while any(self._consumer.position(partition) < ends[partition] for partition in self._partitions):
            for records in self._consumer.poll(timeout_ms=500).values():
                self._events += [orjson.loads(record.value) for record in records]
        return [event for event in self._events if event["type"] not in STATEMENTS]


@contextmanager
def reading(settings: Settings) -> Iterator[Log]:
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka, isolation_level="read_committed")
    try:
        name = EVENTS.name(settings.namespace)
        partitions = [TopicPartition(name, number) for number in range(settings.partitions)]
        consumer.assign(partitions)
        consumer.seek_to_beginning()
        yield Log(consumer, partitions)
    finally:
        consumer.close()
