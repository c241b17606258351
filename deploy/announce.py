"""Puts one definition in force that is data, not rules: thresholds, rates. One transaction, a marker in each partition.

Whoever starts fences who was before, and reads what is there after that: so a version is never written twice.
"""

from collections.abc import Callable
from typing import TypeVar

from kafka import KafkaProducer, TopicPartition

from deploy.definitions import history as log
from deploy.definitions.history import History
from deploy.sole_producer import ACKNOWLEDGED_S, sole_producer
from schemas.definitions import key_of
from schemas.errors import CdpError
from schemas.event import Marker
from schemas.portrait import Rates, Thresholds
from schemas.settings import Settings
from schemas.topics import DEFINITIONS, EVENTS

Announced = TypeVar("Announced", Thresholds, Rates)


def announce(settings: Settings, kind: str, make: Callable[[History], Announced | None]) -> Announced | None:
    """Put what is made of the log's history in force; nothing happens where nothing is made.

    CdpError where another does the same at this moment, Unavailable without Kafka.
    """
    what = f"others publish {kind} at this moment"
    fenced = CdpError(what, DEFINITIONS.name(settings.namespace), "look again in a moment")
    with sole_producer(settings, kind, _written(settings), fenced, "is it running? `cdp status`") as producer:
        made = make(log.read(settings))
        if made is not None:
            _write(settings, producer, made)
        return made


def newest(history: History, kind: type[Announced], name: str) -> Announced | None:
    """What of this name is in force, or about to be; None where there is none."""
    found = [each for each in history.definitions.values() if isinstance(each, kind) and each.name == name]
    return max(found, key=lambda each: each.version, default=None)


def _write(settings: Settings, producer: KafkaProducer, made: Thresholds | Rates) -> None:
    marker = Marker(kind=made.kind, definition=key_of(made)).model_dump_json()
    definitions, *events = _written(settings)
    records = [(definitions, key_of(made), made.model_dump_json(by_alias=True))]
    records += [(place, "marker", marker) for place in events]
    producer.begin_transaction()
    sent = [
        producer.send(place.topic, key=key.encode(), value=text.encode(), partition=place.partition)
        for place, key, text in records
    ]
    producer.flush()
    for one in sent:
        one.get(ACKNOWLEDGED_S)
    producer.commit_transaction()


def _written(settings: Settings) -> list[TopicPartition]:
    """Every partition that is written, that of the definitions first."""
    events = EVENTS.name(settings.namespace)
    places = [TopicPartition(events, number) for number in range(settings.partitions)]
    return [TopicPartition(DEFINITIONS.name(settings.namespace), 0), *places]
