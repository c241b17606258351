"""A broker of this session, and a deployment for each test that asks."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.init import init
from deploy.localstack.kafka_server import start_kafka
from deploy.localstack.ports import free_ports
from deploy.program import Program
from schemas.settings import Settings
from tests.ingest.desks import SECRET
from tests.ingest.servers import Client, connects, ingest, running, until

_numbers = itertools.count(1)


def wait_for(program: Program, port: int) -> None:
    """Return when the broker serves; kafka-python leaks the socket of a refused connection, so first wait for one."""
    until(lambda: connects(port))
    program.wait_ready()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Kafka."""
    port, controller = free_ports(2)
    program = start_kafka(tmp_path_factory.mktemp("kafka"), port, controller)
    try:
        wait_for(program, port)
        yield f"127.0.0.1:{port}"
    finally:
        program.kill()


def settings_for(kafka: str, **more: object) -> Settings:
    """Settings with a namespace and a port of their own."""
    (port,) = free_ports(1)
    given = {
        "kafka": kafka,
        "namespace": f"ingest-{next(_numbers)}",
        "ingest_port": port,
        "key_secret": SECRET,
    }
    return Settings.model_validate(given | more)


@pytest.fixture(scope="session")
def founded(broker: str) -> Callable[..., Settings]:
    """Makes deployments, each with its own namespace and port."""

    def make(**more: object) -> Settings:
        settings = settings_for(broker, **more)
        init(settings)
        return settings

    return make


@pytest.fixture(scope="module")
def server(
    founded: Callable[..., Settings], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Settings, Client]]:
    """One running ingest for the tests of a module that leave it as they found it."""
    settings = founded()
    with running(ingest(settings, tmp_path_factory.mktemp("ingest")), settings) as client:
        yield settings, client


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[tuple[Program, Settings]]:
    """A broker that the test may stop and kill, and a deployment on it."""
    port, controller = free_ports(2)
    program = start_kafka(tmp_path / "kafka", port, controller)
    try:
        wait_for(program, port)
        settings = settings_for(f"127.0.0.1:{port}")
        init(settings)
        yield program, settings
    finally:
        program.kill()
