"""What a client and a reader of the log see of ingest."""

import http.client
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
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

    def get(self, path: str) -> Answer:
        return self._request("GET", path, None, {})

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        raw = body if isinstance(body, bytes) or not isinstance(body, dict | list) else orjson.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._request("POST", path, raw, self.headers | named)

    def _request(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            read = response.read()
            parsed = orjson.loads(read) if response.headers.get_content_type() == "application/json" else read
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
                found.extend(map(_record, records))
        return [record for record in found if ":" in record.key or topic.noun != "events"]
    finally:
        consumer.close()


def _record(record: Any) -> Record:
    headers = {name: value.decode() for name, value in record.headers}
    return Record(record.partition, record.key.decode(), record.value, headers, record.timestamp)


@contextmanager
def serving(process: Process, settings: Settings) -> Iterator[Client]:
    """Ingest started and ready; whatever the test leaves of it is killed."""
    client = Client(settings)
    with running(process):
        until(lambda: connects(settings.ingest_port) and client.get("/ready").status == 200)
        yield client
