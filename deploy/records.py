"""Reading a topic of one partition to its end, as `cdp.definitions.v1` is."""

import time
from collections.abc import Iterable
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from schemas.errors import Unavailable
from schemas.settings import Settings
from schemas.topics import Topic

READ_S = 30.0


def read_all(settings: Settings, topic: str) -> dict[bytes, bytes]:
    """The newest value of each key of a topic of one partition, as committed; nothing where there is no topic."""
    return {key: record.value for key, record in read_records(settings, topic).items()}


def until_readable(settings: Settings, topic: Topic, keys: Iterable[str]) -> None:
    """Return when these keys can be read: a commit is acknowledged before that, and a broker may be killed between."""
    wanted, deadline = {key.encode() for key in keys}, time.monotonic() + READ_S
    while not wanted <= read_all(settings, topic.name(settings.namespace)).keys():
        if time.monotonic() > deadline:
            what = f"what was written to {topic.name(settings.namespace)} cannot be read yet"
            raise Unavailable(what, settings.kafka, "run it again")
        time.sleep(0.1)


def read_records(settings: Settings, topic: str) -> dict[bytes, Any]:
    """The newest record of each key, as above."""
    consumer = KafkaConsumer(
        bootstrap_servers=settings.kafka, enable_auto_commit=False, isolation_level="read_committed"
    )
    partition, found = TopicPartition(topic, 0), dict[bytes, Any]()
    try:
        if not consumer.partitions_for_topic(topic):
            return found
        consumer.assign([partition])
        consumer.seek_to_beginning(partition)
        end, deadline = consumer.end_offsets([partition])[partition], time.monotonic() + READ_S
        while consumer.position(partition) < end:
            for records in consumer.poll(timeout_ms=200).values():
                found |= {record.key: record for record in records}
            if time.monotonic() > deadline:
                raise Unavailable(f"{topic} cannot be read to its end", settings.kafka)
        return found
    finally:
        consumer.close()
