"""What a client and a reader of the log see of ingest."""

import http.client
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any, NamedTuple

import orjson
from kafka import KafkaConsumer, TopicPartition

from schemas.settings import Settings
from schemas.topics import Topic
from tests.processes import Process, running
from tests.waiting import connects, until

KEY = "local-shop-write-key"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any


class Record(NamedTuple):
    partition: int
    key: str
    value: bytes
    headers: dict[str, str]
    timestamp: int


class Client:
    """A sender with a connection for each request."""

    def __init__(self, settings: Settings, key: str | None = KEY) -> None:
        self.address = settings.ingest_host, settings.ingest_port
        self.headers = (
            {} if key is None else {"Authorization": "Basic " + b64encode(f"{key}:".encode()).decode()}
        )

    def without_key(self) -> "Client":
        """Another, which names no key."""
        other = copy(self)
        other.headers = {}
        return other

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        raw = body if isinstance(body, bytes) or not isinstance(body, dict | list) else orjson.dumps(body)
        return self.request("POST", path, raw, **headers)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """The answer to any request; in the headers' names `_` stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        try:
            connection.request(method, path, body, self.headers | named)
            response = connection.getresponse()
            read = response.read()
            is_json = response.headers.get_content_type() == "application/json" and method != "HEAD"
            parsed = orjson.loads(read) if is_json else read
            return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, parsed)
        finally:
            connection.close()


def read(settings: Settings, topic: Topic) -> list[Record]:
    """Everything in a topic that is not the deployment's own statement."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka, isolation_level="read_committed")
    try:
        name = topic.name(settings.namespace)
        partitions = [TopicPartition(name, p) for p in range(topic.partitions or settings.partitions)]
        consumer.assign(partitions)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(partitions)
        found: list[Record] = []
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for records in consumer.poll(timeout_ms=500).values():
                found.extend(map(record_of, records))
        return [record for record in found if ":" in record.key or topic.noun != "events"]
    finally:
        consumer.close()


def record_of(record: Any) -> Record:
    """What a test asks of a record."""
    headers = {name: value.decode() for name, value in record.headers}
    return Record(record.partition, record.key.decode(), record.value, headers, record.timestamp)


@contextmanager
def serving(process: Process, settings: Settings) -> Iterator[Client]:
    """Ingest started and ready; whatever the test leaves of it is killed."""
    client = Client(settings)
    with running(process):
        until(lambda: connects(settings.ingest_port) and client.get("/ready").status == 200)
        yield client
