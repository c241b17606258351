"""Puts one definition in force that is data, not rules: thresholds, rates. One transaction, a marker in each partition.

Whoever starts fences who was before, and reads what is there after that: so a version is never written twice.
"""

from collections.abc import Callable
from typing import TypeVar

from kafka import KafkaProducer, TopicPartition
from kafka.errors import InvalidProducerEpochError, KafkaError, ProducerFencedError

from deploy.definitions import history as log
from deploy.definitions.history import History
from processors.hanging import last_transaction, write_lost_markers
from schemas.definitions import key_of
from schemas.errors import CdpError, Unavailable
from schemas.event import Marker
from schemas.portrait import Rates, Thresholds
from schemas.settings import Settings
from schemas.topics import DEFINITIONS, EVENTS

TIMEOUT_MS = 10_000
ACKNOWLEDGED_S = 30.0
_FENCED = (InvalidProducerEpochError, ProducerFencedError)
Announced = TypeVar("Announced", Thresholds, Rates)


def announce(settings: Settings, kind: str, make: Callable[[History], Announced | None]) -> Announced | None:
    """Put what is made of the log's history in force; nothing happens where nothing is made.

    CdpError where another does the same at this moment, Unavailable without Kafka.
    """
    id_, producer = f"{settings.namespace}-{kind}", None
    try:
        last = last_transaction(settings.kafka, id_)
        producer = KafkaProducer(
            bootstrap_servers=settings.kafka.split(","), transactional_id=id_, transaction_timeout_ms=TIMEOUT_MS,
            acks="all", allow_auto_create_topics=False,
        )  # fmt: skip
        producer.init_transactions()
        write_lost_markers(settings.kafka, last, _written(settings))
        made = make(log.read(settings))
        if made is not None:
            _write(settings, producer, made)
    except KafkaError as error:
        if _is_fenced(error):
            what = f"others publish {kind} at this moment"
            raise CdpError(what, DEFINITIONS.name(settings.namespace), "look again in a moment") from error
        raise Unavailable(f"Kafka: {error}", settings.kafka, "is it running? `cdp status`") from error
    else:
        return made
    finally:
        if producer is not None:
            producer.close(timeout=5)


def newest(history: History, kind: type[Announced], name: str) -> Announced | None:
    """What of this name is in force, or about to be; None where there is none."""
    found = [each for each in history.definitions.values() if isinstance(each, kind) and each.name == name]
    return max(found, key=lambda each: each.version, default=None)


def _is_fenced(error: KafkaError) -> bool:
    """What is sent after somebody else took over fails with the first failure inside."""
    return any(isinstance(each, _FENCED) for each in (error, *error.args))


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
