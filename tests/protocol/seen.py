"""A client of ingest that sees what became of what it sent."""

from types import TracebackType
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition

from schemas.event import Event
from schemas.settings import Settings
from schemas.topics import EVENTS, REJECTED, Topic
from tests.ingest.servers import Answer, Client, Record, record_of

SHOP = "local-shop-write-key"


class Seen:
    """The log as far as it was read; one consumer goes on reading where it stopped."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.client = settings, Client(settings, SHOP)
        self.events: list[Event] = []
        self.records: list[Record] = []
        self.rejected: list[Record] = []
        self._partitions = _partitions(settings, EVENTS) + _partitions(settings, REJECTED)

    def __enter__(self) -> Self:
        self._consumer = KafkaConsumer(
            bootstrap_servers=self.settings.kafka, isolation_level="read_committed"
        )
        self._consumer.assign(self._partitions)
        self._consumer.seek_to_beginning()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def of(self, message_id: str) -> list[Event]:
        """The events of a messageId that are in the log now."""
        self.read()
        return [event for event in self.events if event.message_id == message_id]

    def one(self, message_id: str) -> Event:
        """The one event of a messageId."""
        (event,) = self.of(message_id)
        return event

    def taken(self, message: dict[str, Any], path: str = "/v1/track", **headers: str) -> Event:
        """What a message became that was posted as an event of its own, with success."""
        answer = self.client.post(path, message, **headers)
        assert (answer.status, answer.body) == (200, {"success": True})
        return self.one(message["messageId"])

    def refused(self, message: Any, path: str = "/v1/track", **headers: str) -> tuple[Answer, list[Record]]:
        """The answer to what is not accepted, and what the rejected topic got of it."""
        self.read()
        before, events = len(self.rejected), len(self.events)
        answer = self.client.post(path, message, **headers)
        self.read()
        assert len(self.events) == events
        return answer, self.rejected[before:]

    def count(self) -> tuple[int, int]:
        """How many events and rejections there are now."""
        self.read()
        return len(self.events), len(self.rejected)

    def read(self) -> None:
        """Read on to what is the end now."""
        ends = self._consumer.end_offsets(self._partitions)
        while any(self._consumer.position(partition) < ends[partition] for partition in self._partitions):
            for partition, records in self._consumer.poll(timeout_ms=200).items():
                self._note(partition.topic, [record_of(record) for record in records])

    def _note(self, topic: str, records: list[Record]) -> None:
        if topic == REJECTED.name(self.settings.namespace):
            self.rejected += records
            return
        told = [
            record for record in records if ":" in record.key
        ]  # the rest are the deployment's own statements
        self.records += told
        self.events += [Event.model_validate_json(record.value) for record in told]


def _partitions(settings: Settings, topic: Topic) -> list[TopicPartition]:
    name = topic.name(settings.namespace)
    return [TopicPartition(name, number) for number in range(topic.partitions or settings.partitions)]
