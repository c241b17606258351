"""Ingest as a process, and what a client and a reader of the log see of it."""

import http.client
import socket
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from kafka import KafkaConsumer, TopicPartition
from pydantic import SecretStr

from deploy.program import Program
from schemas.settings import Settings
from schemas.topics import Topic

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


def environment(settings: Settings) -> dict[str, str]:
    """The variables that give a process these settings."""
    given = settings.model_dump(mode="json", exclude_none=True)
    secrets = {name: value.get_secret_value() for name, value in settings if isinstance(value, SecretStr)}
    return {f"CDP_{name.upper()}": str(value) for name, value in {**given, **secrets}.items()}


def ingest(settings: Settings, folder: Path) -> Program:
    """Ingest, not started; its check is /health."""
    argv = [sys.executable, "-m", "tests.ingest.serve"]
    client = Client(settings)

    def check() -> None:
        assert client.get("/health").status == 200

    return Program("ingest", argv, folder / "ingest.log", check, environment(settings))


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


def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    """Return when the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def connects(port: int) -> bool:
    """Whether something listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(program: Program, settings: Settings) -> Iterator[Client]:
    """Ingest started and ready; whatever the test leaves of it is killed."""
    program.start()
    try:
        program.wait_ready()
        client = Client(settings)
        until(lambda: client.get("/ready").status == 200)
        yield client
    finally:
        program.kill()
