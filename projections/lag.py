"""How far the tables are behind the log."""

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from projections.connect import connect, reason, retried
from projections.registry import PROJECTIONS
from projections.store import group_of
from projections.table import Projection
from schemas.errors import Unavailable
from schemas.settings import Settings

PATIENCE = 10.0


def lag(settings: Settings) -> dict[str, int]:
    """Committed records of the log that are not in the tables yet, by projection.

    Unavailable where Kafka or ClickHouse cannot be reached, ConfigError where the tables do not exist.
    """
    with connect(settings) as client:

        def groups() -> dict[str, str]:
            return {p.name: group_of(client, p, settings.namespace) for p in PROJECTIONS}

        of = retried(settings, groups, PATIENCE)
    try:
        return {p.name: _behind(settings, p, of[p.name]) for p in PROJECTIONS}
    except KafkaError as error:
        raise Unavailable(
            reason(error), f"Kafka at {settings.kafka}", "is it running? `cdp status`"
        ) from None


def caught_up(settings: Settings) -> bool:
    """Whether every table holds all that is committed in the log."""
    return not any(lag(settings).values())


def _behind(settings: Settings, projection: Projection, group: str) -> int:
    topic = projection.topic.name(settings.namespace)
    consumer = KafkaConsumer(
        bootstrap_servers=settings.kafka.split(","),
        group_id=group,
        enable_auto_commit=False,
        isolation_level="read_committed",  # the end is the last stable offset
        bootstrap_timeout_ms=int(PATIENCE * 1000),
        allow_auto_create_topics=False,
    )
    try:
        places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        ends, starts = consumer.end_offsets(places), consumer.beginning_offsets(places)
        return sum(max(0, ends[p] - max(consumer.committed(p) or 0, starts[p])) for p in places)
    finally:
        consumer.close(autocommit=False)
