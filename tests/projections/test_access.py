"""What the analysts' user may do on a server, and what it may not."""

from collections.abc import Iterator

import pytest
from clickhouse_driver import Client, errors

from projections.access import VIEWS
from projections.batch import make
from projections.connect import connect
from projections.migrate import migrate
from projections.registry import PROJECTIONS
from projections.store import insert_all
from schemas.settings import Settings
from tests.projections.conftest import READ_DATABASE, Server, settings_for
from tests.projections.log import cluster, event, part_of

STATE = PROJECTIONS[0]


@pytest.fixture(scope="module")
def readable(clickhouse: Server) -> Settings:
    settings = settings_for(clickhouse, clickhouse_database=READ_DATABASE)
    migrate(settings)
    with connect(settings) as writer:
        insert_all(writer, STATE, make(STATE, [cluster({"user_id:a": part_of([event()])})]))
    return settings


@pytest.fixture
def analyst(readable: Settings) -> Iterator[Client]:
    with connect(readable, analyst=True) as client:
        yield client


def test_analysts_read_every_view_and_look_identifiers_up(analyst: Client) -> None:
    for view in VIEWS:
        analyst.execute(f"SELECT * FROM {view} LIMIT 1")
    found = analyst.execute(
        f"SELECT customer_id = dictGet('{READ_DATABASE}.customer_of', 'customer_id', 'user_id:a') FROM profiles"
        " WHERE has(keys, 'user_id:a')"
    )
    assert found == [(1,)]


@pytest.mark.parametrize(
    "forbidden",
    [
        "INSERT INTO profiles_raw (customer_id) SELECT generateUUIDv4()",
        "DROP VIEW profiles",
        "DROP TABLE events_raw",
        "ALTER TABLE events_raw DELETE WHERE 1",
        "TRUNCATE TABLE events_raw",
        "CREATE TABLE mine (n UInt8) ENGINE = Memory",
        "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 's String')",
        "SELECT * FROM file('users.xml', 'LineAsString', 's String')",
        "SELECT * FROM remote('127.0.0.1:1', system.one)",
        "SYSTEM SHUTDOWN",
        "CREATE USER me",
        "GRANT SELECT ON *.* TO analyst",
    ],
)
def test_analysts_do_nothing_else(analyst: Client, forbidden: str) -> None:
    with pytest.raises(errors.ServerException) as refused:
        analyst.execute(forbidden)
    assert refused.value.code in (164, 497)  # read only, or not enough privileges
