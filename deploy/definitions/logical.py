"""The deployment's logical time: where its partitions' clocks are."""

import time
from typing import NamedTuple

import orjson
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from schemas.errors import Unavailable
from schemas.settings import Settings
from schemas.state import POSITION_KEY
from schemas.topics import STATE

BACK = 20
"""Offsets from the end of a partition of state among which a position is: each transaction ends with one."""
READ_S = 10.0


class Clocks(NamedTuple):
    """`now`: the latest tick that any partition has folded, Unix ms; the present where none has ticked yet.

    `running`: none is held by an importer.
    """

    now: int
    running: bool


def clocks(settings: Settings) -> Clocks:
    """The clocks of all partitions; Unavailable where Kafka does not answer."""
    try:
        positions = _positions(settings)
    except KafkaError as error:
        raise Unavailable(f"Kafka: {error}", settings.kafka, "is it running? `cdp status`") from error
    latest = max((position["clock_at"] for position in positions), default=0)
    return Clocks(latest or time.time_ns() // 1_000_000, all(position["running"] for position in positions))


def now(settings: Settings) -> int:
    """The deployment's logical time, Unix ms; Unavailable where Kafka does not answer."""
    return clocks(settings).now


def _positions(settings: Settings) -> list[dict[str, int]]:
    consumer = KafkaConsumer(
        bootstrap_servers=settings.kafka.split(","), isolation_level="read_committed", enable_auto_commit=False,
        allow_auto_create_topics=False, max_partition_fetch_bytes=8 * 1024 * 1024,
    )  # fmt: skip
    places = [TopicPartition(STATE.name(settings.namespace), number) for number in range(settings.partitions)]
    try:
        consumer.assign(places)
        starts, ends = consumer.beginning_offsets(places), consumer.end_offsets(places)
        for place in places:
            consumer.seek(place, max(starts[place], ends[place] - BACK))
        found, deadline = dict[TopicPartition, dict[str, int]](), time.monotonic() + READ_S
        while any(consumer.position(place) < ends[place] for place in places) and time.monotonic() < deadline:
            for place, records in consumer.poll(timeout_ms=200).items():
                told = [record.value for record in records if record.key == POSITION_KEY.encode()]
                found |= {place: orjson.loads(told[-1])} if told else {}
        return list(found.values())
    finally:
        consumer.close(autocommit=False)
