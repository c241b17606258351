"""The one who publishes: a transactional producer, of which a deployment has one at a time.

Who starts one fences whoever was before, so what is read after that is all that there is.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import orjson
from kafka import KafkaProducer, TopicPartition

from deploy.sole_producer import ACKNOWLEDGED_S, is_fenced, sole_producer
from schemas.definitions import Definition, key_of
from schemas.errors import CdpError
from schemas.event import Marker
from schemas.publication import Publication
from schemas.publication import key_of as key_of_publication
from schemas.settings import Settings
from schemas.topics import COMMANDS, DEFINITIONS, EVENTS, partition_of

Command = tuple[str, dict[str, Any]]
"""The identifier addressed, and the command."""


class Overtaken(CdpError):
    """Another publisher has taken over; it finishes first what this one has begun."""


class Publisher:
    """Writes transactions: what is sent between `transaction()` and its end is there as a whole, or not at all."""

    def __init__(self, settings: Settings, producer: KafkaProducer) -> None:
        self._settings, self._producer = settings, producer
        self._sent: list[Any] = []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction, committed at the end and aborted where anything is raised."""
        self._producer.begin_transaction()
        try:
            yield
            self.acknowledged()
            self._producer.commit_transaction()
        except BaseException as error:
            self._sent.clear()
            if not is_fenced(error):
                self._producer.abort_transaction()
            raise

    def define(self, definitions: Iterable[Definition]) -> None:
        """Send definitions."""
        for each in definitions:
            self._send(
                DEFINITIONS.name(self._settings.namespace),
                0,
                key_of(each),
                each.model_dump_json(by_alias=True),
            )

    def note(self, publication: Publication) -> None:
        """Send how far the publication is."""
        topic, key = DEFINITIONS.name(self._settings.namespace), key_of_publication(publication.model)
        self._send(topic, 0, key, publication.model_dump_json())

    def mark(self, kind: Literal["model", "collecting"], model: str) -> tuple[int, ...]:
        """Send a marker to every partition; gives their offsets, which no other record will have."""
        marker, topic = Marker(kind=kind, definition=model), EVENTS.name(self._settings.namespace)
        sent = [
            self._send(topic, partition, marker.type, marker.model_dump_json())
            for partition in range(self._settings.partitions)
        ]
        self._producer.flush()
        return tuple(one.get(ACKNOWLEDGED_S).offset for one in sent)

    def command(self, commands: Iterable[Command]) -> None:
        """Send commands."""
        topic, partitions = COMMANDS.name(self._settings.namespace), self._settings.partitions
        for to, command in commands:
            self._send(topic, partition_of(to, partitions), to, orjson.dumps(command))

    def acknowledged(self) -> None:
        """Return when all that was sent is with Kafka; raises what kept any of it from that."""
        self._producer.flush()
        for one in self._sent:
            one.get(ACKNOWLEDGED_S)
        self._sent.clear()

    def _send(self, topic: str, partition: int, key: str, value: str | bytes) -> Any:
        raw = value.encode() if isinstance(value, str) else value
        sent = self._producer.send(topic, key=key.encode(), value=raw, partition=partition)
        self._sent.append(sent)
        return sent


@contextmanager
def publisher(settings: Settings) -> Iterator[Publisher]:
    """Take over as the publisher; Overtaken where another takes over in turn, Unavailable without Kafka."""
    what = "another publication has taken over, and finishes this one first"
    fenced = Overtaken(what, DEFINITIONS.name(settings.namespace), "`cdp definitions history`")
    with sole_producer(
        settings, "publish", _written(settings), fenced, "run it again: it goes on where it was",
        compression_type="zstd", max_request_size=8 * 1024 * 1024, batch_size=256 * 1024, linger_ms=5,
    ) as producer:  # fmt: skip
        yield Publisher(settings, producer)


def _written(settings: Settings) -> list[TopicPartition]:
    """Every partition that publishing writes."""
    names = [topic.name(settings.namespace) for topic in (EVENTS, COMMANDS)]
    return [
        TopicPartition(DEFINITIONS.name(settings.namespace), 0),
        *(TopicPartition(name, number) for name in names for number in range(settings.partitions)),
    ]
