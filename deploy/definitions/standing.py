"""How far the workers and the sinks are, by the offsets that their groups tell."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import OffsetSpec

from projections.connect import connect, retried
from projections.registry import named
from projections.store import group_of
from schemas.settings import Settings
from schemas.topics import COMMANDS, EVENTS, STATE, Topic, fold_group

PATIENCE = 10.0
CALL_MS = 10_000
Offsets = dict[int, int]
"""By partition."""


class Standing:
    """Asks Kafka each time; KafkaError where it does not answer."""

    def __init__(self, settings: Settings, admin: KafkaAdminClient) -> None:
        self._settings, self._admin = settings, admin
        self._groups: dict[str, str] = {}

    def folded(self) -> Offsets:
        """The offset of the events log up to which each partition is folded."""
        return {partition: told.offset for partition, told in self._told(self._folding(), EVENTS).items()}

    def joined(self, model: str) -> int:
        """How many backfill commands of a model the workers have dealt with."""
        told = (each.metadata.split(" ") for each in self._told(self._folding(), COMMANDS).values())
        return sum(int(words[1]) for words in told if words[0] == model and len(words) == 2)

    def state_ends(self, upto: Offsets) -> int:
        """What the partitions that are not folded up to there have written: they come to a definition in slices."""
        reached, name = self.folded(), STATE.name(self._settings.namespace)
        late = [number for number, end in upto.items() if reached.get(number, 0) < end]
        asked = {TopicPartition(name, number): OffsetSpec.LATEST for number in late}
        found = self._admin.list_partition_offsets(asked) if asked else {}
        return sum(each.offset for each in found.values())

    def written(self, projection: str) -> Offsets:
        """The offset of its topic up to which a projection is in ClickHouse."""
        (known,) = named([projection])
        if projection not in self._groups:
            with connect(self._settings) as client:
                find = lambda: group_of(client, known, self._settings.namespace)  # noqa: E731
                self._groups[projection] = retried(self._settings, find, PATIENCE)
        told = self._told(self._groups[projection], known.topic)
        return {partition: each.offset for partition, each in told.items()}

    def ends(self, projection: str) -> Offsets:
        """The end of its topic, as committed."""
        (known,) = named([projection])
        name = known.topic.name(self._settings.namespace)
        consumer = KafkaConsumer(
            bootstrap_servers=self._settings.kafka.split(","), isolation_level="read_committed",
            bootstrap_timeout_ms=CALL_MS, enable_auto_commit=False, allow_auto_create_topics=False,
        )  # fmt: skip
        try:
            count = known.topic.partitions or self._settings.partitions
            places = [TopicPartition(name, number) for number in range(count)]
            starts = consumer.beginning_offsets(places)
            return {
                place.partition: end
                for place, end in consumer.end_offsets(places).items()
                if end > starts[place]
            }
        finally:
            consumer.close(autocommit=False)

    def _folding(self) -> str:
        return fold_group(self._settings.namespace)

    def _told(self, group: str, topic: Topic) -> dict[int, Any]:
        name = topic.name(self._settings.namespace)
        found = self._admin.list_group_offsets({group: None})[group]
        return {
            place.partition: told for place, told in found.items() if place.topic == name and told.offset >= 0
        }


def missing(reached: Offsets, upto: Offsets) -> int:
    """Offsets that are not reached yet."""
    return sum(max(0, end - reached.get(partition, 0)) for partition, end in upto.items())


@contextmanager
def standing(settings: Settings) -> Iterator[Standing]:
    """A connection to ask by."""
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka.split(","), bootstrap_timeout_ms=CALL_MS)
    try:
        yield Standing(settings, admin)
    finally:
        admin.close()
