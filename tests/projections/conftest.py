"""Real servers for the projections' tests; each test has a database and a namespace of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from clickhouse_driver import Client

from deploy.localstack.clickhouse_server import Users, start_clickhouse
from deploy.localstack.kafka_server import start_kafka
from deploy.localstack.ports import free_ports
from deploy.program import Program
from projections.access import VIEWS
from projections.connect import connect
from projections.lag import caught_up
from projections.migrate import migrate
from schemas.errors import CdpError
from schemas.settings import Settings
from tests.projections.log import create_topics

READ_DATABASE = "cdp_read"
"""The database that the analysts' user of the test server may read."""


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port, controller = free_ports(2)
    program = start_kafka(tmp_path_factory.mktemp("kafka"), port, controller)
    try:
        until(lambda: listens(port), "Kafka listens")  # kafka-python does not close sockets that were refused
        program.wait_ready()
        yield f"127.0.0.1:{port}"
    finally:
        program.kill()


class Server:
    """A ClickHouse of a test's own, to be killed and started again on the same data and ports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tcp, self.http = free_ports(2)
        self.program: Program
        self.start()

    def start(self) -> None:
        users = Users(database=READ_DATABASE)
        self.program = start_clickhouse(self.folder, self.tcp, self.http, users)
        self.program.wait_ready()

    def kill(self) -> None:
        self.program.kill()

    def revive(self) -> None:
        """Start it again where a client that was killed in the middle of an insert took it along."""
        if not self.program.alive:
            self.start()


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("clickhouse"))
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
def own_clickhouse(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "clickhouse")
    try:
        yield server
    finally:
        server.kill()


def settings_for(server: Server, kafka: str = "127.0.0.1:1", **others: Any) -> Settings:
    name = f"t{uuid4().hex[:8]}"
    fields: dict[str, Any] = {
        "namespace": name,
        "kafka": kafka,
        "clickhouse_port": server.tcp,
        "clickhouse_http_port": server.http,
        "clickhouse_database": name,
        **others,
    }
    return Settings(**fields)


@pytest.fixture
def tables(clickhouse: Server) -> Settings:
    """Settings of a migrated database; no Kafka."""
    settings = settings_for(clickhouse)
    migrate(settings)
    return settings


@pytest.fixture
def settings(clickhouse: Server, kafka: str) -> Settings:
    """Settings of a migrated database and empty topics."""
    settings = settings_for(clickhouse, kafka)
    migrate(settings)
    create_topics(settings)
    return settings


@pytest.fixture
def client(tables: Settings) -> Iterator[Client]:
    with connect(tables) as client:
        yield client


class Sink:
    """`cdp sink` as a process."""

    def __init__(self, settings: Settings) -> None:
        self.environment = {
            **os.environ,
            "CDP_NAMESPACE": settings.namespace,
            "CDP_KAFKA": settings.kafka,
            "CDP_CLICKHOUSE_PORT": str(settings.clickhouse_port),
            "CDP_CLICKHOUSE_DATABASE": settings.clickhouse_database,
        }
        self.start()

    def start(self) -> None:
        code = "from schemas.settings import Settings; from projections.sink import run; run(Settings())"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def kill(self) -> None:
        self.process.kill()
        self.output()

    def terminate(self) -> str:
        self.process.terminate()
        return self.output()

    def output(self) -> str:
        return self.process.communicate(timeout=30)[0].decode()


@pytest.fixture
def sink() -> Iterator[Callable[[Settings], Sink]]:
    started: list[Sink] = []

    def start(settings: Settings) -> Sink:
        started.append(Sink(settings))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def until_caught_up(settings: Settings, seconds: float = 60, server: Server | None = None) -> None:
    def done() -> bool:
        if server:
            server.revive()
        try:
            return caught_up(settings)
        except CdpError:
            return False

    until(done, "the tables have caught up", seconds)


def content(settings: Settings) -> dict[str, tuple[int, int]]:
    """Rows and an order-free hash of what each view shows."""
    with connect(settings) as client:
        return {
            view: client.execute(f"SELECT count(), groupBitXor(cityHash64(tuple(*))) FROM {view}")[0]
            for view in VIEWS
        }
