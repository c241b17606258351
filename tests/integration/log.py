"""Writing the log and reading what came of it, as a downstream service would."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from schemas.settings import Settings
from schemas.topics import EVENTS, STATE, Topic, partition_of
from tests.processors.events import Said
from tests.waiting import until


@contextmanager
def producer(settings: Settings) -> Iterator[KafkaProducer]:
    made = KafkaProducer(bootstrap_servers=settings.kafka, acks="all", linger_ms=5)
    try:
        yield made
    finally:
        made.close()


Ends = dict[int, int]
"""Partition -> the offset that follows the last record written."""


def write(settings: Settings, said: Iterable[Said]) -> Ends:
    """Append to the events log: an event to its key's partition, a statement to each."""
    topic, sent = EVENTS.name(settings.namespace), []
    with producer(settings) as writer:
        for one in said:
            here = [partition_of(one.key, settings.partitions)] if one.keys else range(settings.partitions)
            sent += [
                writer.send(topic, one.value, one.key.encode(), one.headers(), partition)
                for partition in here
            ]
        writer.flush()
        written = [future.get(10) for future in sent]
    ends: Ends = {}
    for record in written:
        ends[record.partition] = max(record.offset + 1, ends.get(record.partition, 0))
    return ends


def read(settings: Settings, topic: Topic) -> list[Any]:
    """Every record of a topic that was committed when this was called."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka, isolation_level="read_committed")
    try:
        name = topic.name(settings.namespace)
        partitions = [TopicPartition(name, p) for p in range(topic.partitions or settings.partitions)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends, found = consumer.end_offsets(partitions), list[Any]()
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for place, records in consumer.poll(timeout_ms=500).items():
                found.extend(record for record in records if record.offset < ends[place])
        return found
    finally:
        consumer.close()


def states(settings: Settings) -> dict[str, dict[str, Any]]:
    """The newest state of each key; positions as `position/PARTITION`."""
    found = {}
    for record in read(settings, STATE):
        key = record.key.decode()
        found[f"position/{record.partition}" if key == "position" else key] = orjson.loads(record.value)
    return found


def changes(settings: Settings, topic: Topic) -> dict[str, list[dict[str, Any]]]:
    """Published changes by customer, in order."""
    found = defaultdict(list)
    for record in read(settings, topic):
        found[record.key.decode()].append(orjson.loads(record.value))
    return found


def until_folded(settings: Settings, ends: Ends, seconds: float = 60) -> dict[str, dict[str, Any]]:
    """The states, once every partition's position has reached what was written."""
    found: dict[str, dict[str, Any]] = {}

    def done() -> bool:
        found.update(states(settings))
        return all(found.get(f"position/{p}", {"events": 0})["events"] >= end for p, end in ends.items())

    until(done, "the log is folded", seconds, every=0.5)
    return found
