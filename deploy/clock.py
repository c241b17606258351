"""The deployment's clock, for importers of history: statements written into every partition of the events log.

An importer holds the clock, brings its events in order of time with a tick after each day (or hour) of them, and
releases the clock. Holding forgets the last tick, so that times that are over can pass again; while it is held, the
workers' own ticks count for nothing. Each function returns when every partition has acknowledged its statement.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from zoneinfo import ZoneInfo

from kafka import KafkaProducer
from kafka.errors import KafkaError

from schemas.errors import ConfigError, Unavailable
from schemas.event import Clock, Tick
from schemas.settings import Settings
from schemas.topics import EVENTS

PATIENCE = 60.0
"""Seconds in which a statement is acknowledged, if the broker has to start again too."""
CONNECT_MS = 15_000
AHEAD_MS = 86_400_000
"""A tick may be ahead by a day: tomorrow's midnight ends today."""
Offsets = dict[int, int]
"""Partition -> offset of the statement in `cdp.events.v1`."""


@contextmanager
def writer(settings: Settings) -> Iterator[KafkaProducer]:
    """An idempotent producer for statements; Unavailable where Kafka does not answer."""
    try:
        producer = KafkaProducer(
            bootstrap_servers=settings.kafka.split(","),
            acks="all",
            enable_idempotence=True,
            bootstrap_timeout_ms=CONNECT_MS,
            max_block_ms=int(PATIENCE * 1000),
            allow_auto_create_topics=False,
        )
    except KafkaError as error:
        raise _unavailable(settings, error) from error
    try:
        yield producer
    finally:
        producer.close(timeout=PATIENCE)


def hold(settings: Settings, producer: KafkaProducer | None = None) -> Offsets:
    """From here on only an importer lets time pass."""
    return _write(settings, Clock(running=False), producer)


def release(settings: Settings, producer: KafkaProducer | None = None) -> Offsets:
    """From here on each partition's worker lets time pass, by the wall clock."""
    return _write(settings, Clock(running=True), producer)


def tick(settings: Settings, at_ms: int, producer: KafkaProducer | None = None) -> Offsets:
    """Let the time reach `at_ms`, Unix ms: what falls due by then comes true, and no customer's time goes back."""
    return _write(settings, Tick(at=at_ms, by="importer"), producer)


def instant(text: str, timezone: str) -> int:
    """The Unix ms of an ISO 8601 date or time, in this time zone where it names none; ConfigError where it is none."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(timezone))
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise ConfigError(f"not a time: {text}", "AT", "as 2026-12-31, or 2026-12-31T18:00+01:00") from None


def check_over(at_ms: int) -> None:
    """ConfigError for a time that is not over yet: customers whom it has reached never come back from it."""
    if at_ms > time.time() * 1000 + AHEAD_MS:
        what = "this is in the future, and no customer's time ever goes back"
        raise ConfigError(what, "AT", "--future, on a deployment whose customers are to be thrown away")


def _write(settings: Settings, statement: Clock | Tick, producer: KafkaProducer | None) -> Offsets:
    topic, key = EVENTS.name(settings.namespace), statement.type.encode()
    value = statement.model_dump_json().encode()
    with nullcontext(producer) if producer else writer(settings) as through:
        try:
            sent = [
                through.send(topic, key=key, value=value, partition=partition)
                for partition in range(settings.partitions)
            ]
            end = time.monotonic() + PATIENCE
            return {p: int(one.get(max(0.0, end - time.monotonic())).offset) for p, one in enumerate(sent)}
        except KafkaError as error:
            raise _unavailable(settings, error) from error


def _unavailable(settings: Settings, error: KafkaError) -> Unavailable:
    return Unavailable(f"Kafka: {error}", settings.kafka, "is it running? `cdp status`")
