import re

import pytest
from clickhouse_driver import Client

from projections import docs
from projections.access import VIEWS
from projections.batch import make
from projections.registry import PROJECTIONS
from projections.store import insert_all
from projections.table import Projection, Table
from schemas.rejected import Reason
from schemas.settings import Settings
from tests.projections.conftest import content
from tests.projections.log import T0, Rec, change, cluster, conflict, event, moved, order, part_of, rejection

TABLES = [table for projection in PROJECTIONS for table in projection.tables]
STATE, EVENTS, CHANGES, SEGMENT_CHANGES, IDENTITY_CHANGES, REJECTED = PROJECTIONS
MONTH = 31 * 86_400_000


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_declared_columns_are_those_of_the_table(client: Client, table: Table) -> None:
    found = client.execute(
        "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = %(table)s "
        "AND default_kind = '' ORDER BY position",
        {"table": table.name},
    )
    assert [column.name for column in table.columns] == [name for (name,) in found]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_row_says_where_in_the_log_it_comes_from(table: Table) -> None:
    assert [column.name for column in table.columns][-3:] == [
        "kafka_topic",
        "kafka_partition",
        "kafka_offset",
    ]


def test_every_view_and_column_says_what_it_is_and_the_document_says_the_same(
    tables: Settings, client: Client
) -> None:
    on_server = client.execute(
        "SELECT name, comment FROM system.tables WHERE database = currentDatabase() AND engine = 'View'"
    )
    columns = client.execute(
        "SELECT table, name, type, comment FROM system.columns WHERE database = currentDatabase() AND table IN %(v)s "
        "ORDER BY table, position",
        {"v": VIEWS},
    )
    assert {name for name, _ in on_server} == set(VIEWS)
    assert all(comment for *_, comment in columns)
    written = {view.name: view for view in docs.views()}
    assert dict(on_server) == {name: view.comment for name, view in written.items()}
    for view in VIEWS:
        told = [(n, t, c.replace(tables.currency, "CDP_CURRENCY")) for v, n, t, c in columns if v == view]
        assert told == list(written[view].columns)


def test_the_document_of_the_views_is_current() -> None:
    assert docs.PATH.read_text("utf-8") == docs.document(), "run python -m projections.docs"


def test_money_is_never_a_float(client: Client) -> None:
    types = client.execute("SELECT type FROM system.columns WHERE database = currentDatabase()")
    assert not [type_ for (type_,) in types if re.search("Float", type_)]


@pytest.mark.parametrize(
    ("projection", "records"),
    [
        (STATE, [cluster({"user_id:a": part_of([order("user_id:a", "o1", "9.99", T0)])}, rev=2)]),
        (EVENTS, [event(sent_at=None), order("user_id:a", "o1", "0.1"), event(sent_at=T0)]),
        (
            CHANGES,
            [change("user_id:a", 1, None, "prospect", T0), change("user_id:a", 2, "prospect", "new", T0 + 1)],
        ),
        (
            SEGMENT_CHANGES,
            [
                moved("user_id:a", 1, "entered", "tag/basket", T0, "small"),
                moved("user_id:a", 2, "left", "tag/basket", T0 + 1, "small"),
                moved("user_id:a", 3, "entered", "tag/basket", T0 + 1, "large"),
            ],
        ),
        (IDENTITY_CHANGES, [conflict("user_id:a", "email:b", T0), conflict("user_id:a", "email:c", T0)]),
        (
            REJECTED,
            [rejection(Reason.MALFORMED, b"\xff\x00{"), rejection(Reason.INVALID, b"{}")._replace(offset=1)],
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Projection) else "",
)
def test_the_same_columns_sent_twice_read_the_same(
    tables: Settings, client: Client, projection: Projection, records: list[Rec]
) -> None:
    made = make(projection, records)
    assert not made.unreadable
    insert_all(client, projection, made)
    once = content(tables)
    insert_all(client, projection, made)
    assert content(tables) == once
    assert any(rows for rows, _ in once.values())


def test_the_first_payload_of_an_event_wins_also_in_another_month_and_written_last(client: Client) -> None:
    first = event(message_id="m", received_at=T0, properties={"n": 1})._replace(offset=5)
    later = event(message_id="m", received_at=T0 + MONTH, properties={"n": 2})._replace(offset=6)
    same_time = event(message_id="m", received_at=T0, properties={"n": 3})._replace(offset=7)
    for record in (later, same_time, first):
        insert_all(client, EVENTS, make(EVENTS, [record]))
    assert client.execute("SELECT properties FROM events") == [('{"n":1}',)]
    assert client.execute(
        f"SELECT count() FROM events WHERE received_at > fromUnixTimestamp64Milli({T0 + 1})"
    ) == [(0,)]


def test_an_older_state_written_later_changes_nothing_and_a_tombstone_removes(client: Client) -> None:
    part = part_of([event()])
    for rev, stage in ((3, "mature"), (2, "new")):
        insert_all(client, STATE, make(STATE, [cluster({"user_id:a": part}, rev=rev, stage=stage)]))
    assert client.execute("SELECT stage, rev FROM profiles") == [("mature", 3)]
    insert_all(client, STATE, make(STATE, [cluster({"user_id:a": part}, rev=4, members=[])]))
    assert client.execute("SELECT count() FROM profiles") == [(0,)]


def test_a_merge_shows_in_the_events_view_and_the_dictionary_at_once(
    client: Client, tables: Settings
) -> None:
    insert_all(client, EVENTS, make(EVENTS, [event("user_id:a"), event("email:b")]))
    assert client.execute("SELECT DISTINCT customer_id FROM events") == [(None,)]
    a, b = part_of([event()]), part_of([event()])
    for one in (cluster({"user_id:a": a}), cluster({"email:b": b})):
        insert_all(client, STATE, make(STATE, [one]))
    assert client.execute("SELECT uniqExact(customer_id) FROM events") == [(2,)]
    insert_all(client, STATE, make(STATE, [cluster({"user_id:a": a, "email:b": b}, rev=2)]))
    assert client.execute("SELECT uniqExact(customer_id) FROM events") == [(1,)]
    name = f"{tables.clickhouse_database}.customer_of"
    one, other = client.execute(
        f"SELECT dictGet('{name}', 'customer_id', 'user_id:a'), dictGet('{name}', 'customer_id', 'email:b')"
    )[0]
    assert one == other


def test_a_record_that_fold_and_projection_both_refuse_is_one_row(client: Client) -> None:
    bad = Rec(b"{", topic="cdp.events.v1", partition=1, offset=9)
    insert_all(client, EVENTS, make(EVENTS, [bad]))
    assert client.execute("SELECT reason, place FROM rejected") == [("unreadable", "cdp.events.v1/1/9")]
    told = [("reason", b"unreadable"), ("detail", b"by the fold"), ("where", b"cdp.events.v1/1/9")]
    insert_all(client, REJECTED, make(REJECTED, [Rec(b"{", b"web", told, "cdp.rejected.v1")]))
    assert client.execute("SELECT detail, original FROM rejected") == [("by the fold", "{")]
