"""Reading a topic of one partition to its end, as `cdp.definitions.v1` is."""

import time
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from schemas.errors import Unavailable
from schemas.settings import Settings

READ_S = 30.0


def read_all(settings: Settings, topic: str) -> dict[bytes, bytes]:
    """The newest value of each key of a topic of one partition, as committed; nothing where there is no topic."""
    return {key: record.value for key, record in read_records(settings, topic).items()}


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
