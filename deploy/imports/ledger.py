"""What `cdp.imports.v1` tells: how far a source's files are, and which rows of it the log has."""

import base64
import time
from typing import NamedTuple

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from deploy.imports.ids import Array, Ids, array_of
from schemas.errors import ConfigError, Unavailable
from schemas.imports import FILE, ROWS, ImportedFile, ImportedRows
from schemas.settings import Settings
from schemas.topics import IMPORTS

PATIENCE_S = 30.0
"""Without any progress."""


class Ledger(NamedTuple):
    """Of one source: files by the hash of their content, and the ids of all rows that are in the log."""

    files: dict[str, ImportedFile]
    ids: Ids


def read(settings: Settings, source: str) -> Ledger:
    """What is committed; ConfigError where there is no such topic, Unavailable without Kafka."""
    try:
        return _read(settings, IMPORTS.name(settings.namespace), source)
    except KafkaError as error:
        raise Unavailable(f"Kafka: {error}", settings.kafka, "is it running? `cdp status`") from error


def _read(settings: Settings, topic: str, source: str) -> Ledger:
    consumer = KafkaConsumer(
        bootstrap_servers=settings.kafka.split(","), enable_auto_commit=False, isolation_level="read_committed",
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )  # fmt: skip
    place, files, ids = TopicPartition(topic, 0), dict[str, ImportedFile](), list[Array]()
    try:
        if not consumer.partitions_for_topic(topic):
            raise ConfigError(
                "this deployment lacks a topic", topic, "run `cdp init`: it adds what is missing"
            )
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        end, at, deadline = consumer.end_offsets([place])[place], -1, time.monotonic() + PATIENCE_S
        while (now := consumer.position(place)) < end:
            if now > at:
                at, deadline = now, time.monotonic() + PATIENCE_S
            elif time.monotonic() > deadline:
                raise Unavailable(
                    f"{topic} cannot be read to its end", settings.kafka, "try again in a moment"
                )
            for records in consumer.poll(timeout_ms=200).values():
                for record in records:
                    key = record.key.decode()
                    if key.startswith(f"{FILE}{source}/"):
                        files[key.rpartition("/")[2]] = ImportedFile.model_validate_json(record.value)
                    elif key.startswith(f"{ROWS}{source}/"):
                        packed = ImportedRows.model_validate_json(record.value).ids
                        ids.append(array_of(base64.b64decode(packed)))
        return Ledger(files, Ids(ids))
    finally:
        consumer.close()
