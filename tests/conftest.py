"""The fixtures of the whole suite: one real Kafka and one real ClickHouse a session, a deployment a test.

Servers run in containers where a Docker engine answers and on the local stack elsewhere; no test is skipped. A test
that kills a server takes one of its own (`own_broker`).
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from deploy.init import init
from deploy.localstack.ports import free_ports
from schemas.settings import Settings
from tests.processes import SECRET
from tests.servers import Address, Broker, Server, clickhouse_server, kafka_server

_numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def table_of_characters() -> None:
    """Hypothesis makes it when it first needs it, long enough to meet a socket that kafka-python left.

    Within a test every warning may be an error there (`st.from_type`), whatever pyproject.toml says of that one.
    """
    st.text().validate()


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the session's Kafka."""
    with kafka_server(tmp_path_factory.mktemp("kafka")) as address:
        yield address


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server | Address]:
    """The session's ClickHouse."""
    with clickhouse_server(tmp_path_factory.mktemp("clickhouse")) as server:
        yield server


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    """A Kafka of this test's own, started."""
    broker = Broker(tmp_path / "kafka")
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


def settings_for(home: Path, **fields: Any) -> Settings:
    """Settings of a deployment that shares nothing with another: namespace, database, ports and folder."""
    number = next(_numbers)
    (port,) = free_ports(1)
    given = {
        "home": home,
        "namespace": f"t{number}",
        "clickhouse_database": f"t{number}",
        "ingest_port": port,
        "key_secret": SECRET,
        "partitions": 4,
    }
    return Settings.model_validate(given | fields)


def database_at(server: Server | Address) -> dict[str, Any]:
    """The settings that name a ClickHouse."""
    return {
        "clickhouse_host": server.host,
        "clickhouse_port": server.tcp,
        "clickhouse_http_port": server.http,
    }


@pytest.fixture
def deployed(kafka: str, tmp_path: Path) -> Callable[..., Settings]:
    """Founds deployments on the session's Kafka; its words are settings."""

    def deploy(**fields: Any) -> Settings:
        settings = settings_for(tmp_path / f"home{next(_numbers)}", **{"kafka": kafka, **fields})
        settings.home.mkdir(parents=True)
        init(settings)
        return settings

    return deploy


@pytest.fixture
def deployment(deployed: Callable[..., Settings]) -> Settings:
    """The settings of a deployment that this test has for itself, founded on the session's Kafka."""
    return deployed()


@pytest.fixture
def platform(deployed: Callable[..., Settings], clickhouse: Server | Address) -> Settings:
    """The settings of a deployment that has a database on the session's ClickHouse too, not yet migrated."""
    return deployed(**database_at(clickhouse))
