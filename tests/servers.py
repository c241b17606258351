"""The real servers of the tests: containers where a Docker engine answers, the local stack elsewhere.

Both give the same: an address to connect to, an analyst who may read READ_DATABASE, and nothing left behind.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from clickhouse_driver import Client

from deploy.localstack.clickhouse_server import Users, start_clickhouse
from deploy.localstack.kafka_server import check_kafka, start_kafka
from deploy.localstack.ports import free_ports
from deploy.program import Program
from tests.waiting import until

READ_DATABASE = "cdp_read"
"""The database that the analyst of the session's ClickHouse may read."""
COMPOSE = Path(__file__).parents[1] / "deploy/compose.yaml"


class Broker:
    """A Kafka of a test's own on the local stack, to be stopped, killed and started again on its data and port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.controller = free_ports(2)
        self.address = f"127.0.0.1:{self.port}"
        self.program: Program

    def start(self) -> None:
        self.program = start_kafka(self.folder, self.port, self.controller)
        self.program.wait_ready()

    def kill(self) -> None:
        self.program.kill()


class Server:
    """A ClickHouse on the local stack, to be killed and started again on its data and ports."""

    host = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tcp, self.http = free_ports(2)
        self.program: Program
        self.start()

    def start(self) -> None:
        self.program = start_clickhouse(self.folder, self.tcp, self.http, Users(database=READ_DATABASE))
        self.program.wait_ready()

    def kill(self) -> None:
        self.program.kill()


class Address(NamedTuple):
    """Where a ClickHouse in a container listens."""

    host: str
    tcp: int
    http: int


def docker_answers() -> bool:
    """Whether a Docker engine answers here."""
    import docker  # type: ignore[import-untyped]  # noqa: PLC0415 -- testcontainers brings it

    try:
        client = docker.from_env(timeout=3)
    except docker.errors.DockerException:
        return False
    try:
        return bool(client.ping())
    except Exception:  # noqa: BLE001 -- whatever it is, it is no answer
        return False
    finally:
        client.close()


@contextmanager
def kafka_server(folder: Path) -> Iterator[str]:
    """A Kafka; gives its address."""
    if docker_answers():
        with _kafka_container() as address:
            yield address
        return
    broker = Broker(folder)
    try:
        broker.start()
        yield broker.address
    finally:
        broker.kill()


@contextmanager
def clickhouse_server(folder: Path) -> Iterator[Server | Address]:
    """A ClickHouse; gives where it listens."""
    if docker_answers():
        with _clickhouse_container() as address:
            yield address
        return
    server = Server(folder)
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def _kafka_container() -> Iterator[str]:
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415

    service, (port,) = _service("kafka"), free_ports(1)
    container = DockerContainer(service["image"]).with_bind_ports(9092, port).with_kwargs(hostname="kafka")
    address = f"{container.get_container_host_ip()}:{port}"
    listeners = f"INSIDE://kafka:19092,OUTSIDE://{address}"
    for name, value in (service["environment"] | {"KAFKA_ADVERTISED_LISTENERS": listeners}).items():
        container.with_env(name, value)
    with container:
        until(lambda: _serves(address), "Kafka serves", 90)
        yield address


@contextmanager
def _clickhouse_container() -> Iterator[Address]:
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415

    container = DockerContainer(_service("clickhouse")["image"]).with_exposed_ports(9000, 8123)
    for name, value in (("USER", "cdp"), ("PASSWORD", "cdp"), ("DEFAULT_ACCESS_MANAGEMENT", "1")):
        container.with_env(f"CLICKHOUSE_{name}", value)
    with container:
        ports = [int(container.get_exposed_port(port)) for port in (9000, 8123)]
        address = Address(container.get_container_host_ip(), *ports)
        until(lambda: _is_prepared(address), "ClickHouse serves", 90)
        yield address


def _service(name: str) -> dict[str, Any]:
    service: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"][name]
    return service


def _serves(address: str) -> bool:
    try:
        host, _, port = address.rpartition(":")
        check_kafka(host, int(port))
    except Exception:  # noqa: BLE001
        return False
    return True


def _is_prepared(address: Address) -> bool:
    """Whether the server answers and knows the analyst, as the local stack's users file has it."""
    client = Client(address.host, address.tcp, user="cdp", password="cdp")
    try:
        client.execute("CREATE USER IF NOT EXISTS analyst IDENTIFIED BY 'analyst' SETTINGS readonly = 2")
        client.execute(f"GRANT SELECT, dictGet ON {READ_DATABASE}.* TO analyst")
    except Exception:  # noqa: BLE001
        return False
    finally:
        client.disconnect()
    return True
