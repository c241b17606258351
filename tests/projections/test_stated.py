"""What is read of past events where leaves are backfilled."""

from typing import Any

import pytest
from clickhouse_driver import Client

from projections import stated as reading
from projections.registry import PROJECTIONS, named
from projections.stated import stated
from schemas.settings import Settings
from schemas.topics import EVENTS
from tests.projections.log import DAY, T0, Rec, event
from tests.projections.test_labels import put

(LOG,) = named(["events"])
REJECTED = PROJECTIONS[-1]
BELOW = [100, 50, 100, 100]
NAMES = {"Visit", "View"}


def logged(settings: Settings, offset: int, key: str = "user_id:a", id_: str = "", **fields: Any) -> Rec:
    """An event at a place of the log."""
    fields = {"name": "Visit", "at": T0 + offset, "message_id": id_ or f"m{offset}", **fields}
    partition = fields.pop("partition", 0)
    topic = EVENTS.name(settings.namespace)
    return event(key, **fields)._replace(offset=offset, topic=topic, partition=partition)


def found(client: Client, settings: Settings, after: str = "") -> list[tuple[str, str]]:
    return [(one.key, one.message_id) for one in stated(client, settings, NAMES, BELOW, after)]


def test_events_below_the_markers_come_by_identifier_with_what_they_state(
    client: Client, tables: Settings
) -> None:
    put(
        client, LOG,
        logged(tables, 3, "user_id:b", properties={"brand": "x", "price": "1.5"}, at=T0 - 400 * DAY + 7),
        logged(tables, 9, "user_id:a"),
        logged(tables, 2, "user_id:a", name="View"),
        logged(tables, 4, "user_id:a", name="Other"),
        logged(tables, 100, "user_id:a", id_="at the marker"),
        logged(tables, 60, "user_id:a", partition=1, id_="above that of its partition"),
        logged(tables, 60, "user_id:c", partition=2),
    )  # fmt: skip
    assert found(client, tables) == [
        ("user_id:a", "m2"), ("user_id:a", "m9"), ("user_id:b", "m3"), ("user_id:c", "m60"),
    ]  # fmt: skip
    assert found(client, tables, after="user_id:a") == [("user_id:b", "m3"), ("user_id:c", "m60")]
    one = next(stated(client, tables, NAMES, BELOW, "user_id:a"))
    assert (one.name, one.occurred_at) == ("Visit", T0 - 400 * DAY + 7)
    assert one.properties == '{"brand":"x","price":"1.5"}'


def test_an_event_that_was_sent_twice_counts_once_and_the_first_time(
    client: Client, tables: Settings
) -> None:
    put(client, LOG, logged(tables, 7, id_="m", at=T0), logged(tables, 5, id_="m", at=T0 - DAY))
    put(client, LOG, logged(tables, 110, id_="m", at=T0 + DAY), logged(tables, 8, id_="m", source="shop"))
    assert [(one.source, one.occurred_at) for one in stated(client, tables, NAMES, BELOW, "")] == [
        ("shop", T0 + 8), ("web", T0 - DAY),
    ]  # fmt: skip


def test_what_operators_state_and_what_was_rejected_is_left_out(client: Client, tables: Settings) -> None:
    topic = EVENTS.name(tables.namespace)
    put(
        client,
        LOG,
        logged(tables, 1, type="link"),
        logged(tables, 2),
        logged(tables, 3),
        logged(tables, 3, "user_id:z", partition=3),
    )
    where = [("v", b"1"), ("reason", b"state_full"), ("detail", b""), ("where", f"{topic}/0/2".encode())]
    put(client, REJECTED, Rec(b"{}", b"web", where, topic="x.rejected.v1", offset=3))
    assert found(client, tables) == [("user_id:a", "m3"), ("user_id:z", "m3")]


def test_another_log_in_the_same_tables_is_left_alone(client: Client, tables: Settings) -> None:
    put(client, LOG, logged(tables, 1), logged(tables, 2)._replace(topic="other.events.v1"))
    assert found(client, tables) == [("user_id:a", "m1")]


def test_it_is_read_in_pages_that_lose_nothing_and_repeat_nothing(
    client: Client, tables: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [(f"user_id:{n % 3}", f"m{n:02}") for n in range(30)]
    put(client, LOG, *(logged(tables, n, key, id_) for n, (key, id_) in enumerate(keys)))
    put(client, LOG, *(logged(tables, n + 40, key, id_) for n, (key, id_) in enumerate(keys)))
    for page in (1, 2, 7, 60):
        monkeypatch.setattr(reading, "PAGE", page)
        assert found(client, tables) == sorted(keys)
        assert found(client, tables, after="user_id:0") == sorted(keys)[10:]
