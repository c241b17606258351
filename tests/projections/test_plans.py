"""What analysts see of tracking plans and bots, and what plans are tried on."""

from typing import Any

import orjson
import pytest
from clickhouse_driver import Client

from projections import conditions
from projections.batch import make
from projections.conditions import Context
from projections.connect import connect
from projections.history import events_of
from projections.planned import Rejected, Taken, rejected, taken
from projections.registry import PROJECTIONS, named
from projections.rows import events
from projections.stated import stated
from schemas.errors import Unavailable
from schemas.portrait import Segment
from schemas.rejected import Reason, Rejection, headers
from schemas.settings import Settings
from schemas.topics import EVENTS
from tests.projections.log import DAY, T0, Rec, cluster, event, order, part_of
from tests.projections.test_labels import put

(LOG,) = named(["events"])
STATE, *_, REJECTED = PROJECTIONS
TYPE, REQUIRED = "Order Completed@2 /properties/total type", "Order Completed@2 /properties/order_id required"


def refused(rules: list[str], message_id: str, offset: int, at: int, original: Any = None) -> Rec:
    """An event that a plan rejected."""
    body = orjson.dumps(original or {"event": "x"})
    told = headers(Rejection(Reason.PLAN, "; ".join(rules), body), "ingest", at, message_id)
    return Rec(body, b"web", told, "cdp.rejected.v1", offset=offset, timestamp=at)


def today(client: Client) -> int:
    """Rejections are kept 30 days."""
    return int(client.execute("SELECT toUnixTimestamp(toStartOfDay(now('UTC'))) * 1000 + 1")[0][0])


def violations(client: Client) -> dict[tuple[str, str, str], int]:
    rows = client.execute("SELECT source, event, rule, outcome, events FROM plan_violations")
    assert all(source == "web" for source, *_ in rows)
    return {(event, rule, outcome): number for _, event, rule, outcome, number in rows}


def test_an_event_says_whether_a_bot_sent_it_and_what_it_breaks() -> None:
    made = make(
        LOG,
        [event(), event(bot=True, violations=[TYPE, REQUIRED]), event(violations=[1]), event(violations="x")],
    )
    names = [column.name for column in events.EVENTS.columns]
    assert list(made.columns["events_raw"][names.index("bot")]) == [0, 1]
    assert list(made.columns["events_raw"][names.index("violations")]) == [[], [TYPE, REQUIRED]]
    assert len(made.unreadable) == 2


def test_violations_are_counted_by_rule_and_outcome(client: Client) -> None:
    at = today(client)
    put(
        client, LOG,
        event(name="Order Completed", at=at, message_id="m1", violations=[TYPE, REQUIRED]),
        event(name="Order Completed", at=at, message_id="m2", violations=[TYPE], bot=True),
        event(name="Order Completed", at=at, message_id="m3"),
        event(name="Click; here", at=at, message_id="m4", violations=["Click, here unplanned"]),
    )  # fmt: skip
    put(
        client, LOG, event(name="Order Completed", at=at + 1, message_id="m1", violations=[TYPE])
    )  # once more
    put(client, LOG, event(name="Order Completed", at=at + 1, message_id="m3", violations=[TYPE]))
    put(
        client, REJECTED,
        refused([TYPE, REQUIRED], "m5", 1, at),
        refused([TYPE], "m6", 2, at),
        refused([TYPE], "m6", 3, at),  # sent again
        refused([TYPE], "", 4, at),
        refused([TYPE], "", 5, at),
        refused(["a\nb@7 /x version"], "m7", 6, at),
        refused(["gone unplanned unplanned"], "m8", 7, at),
    )  # fmt: skip
    assert violations(client) == {
        ("Order Completed", TYPE, "marked"): 2,
        ("Order Completed", REQUIRED, "marked"): 1,
        ("Click; here", "Click, here unplanned", "marked"): 1,
        ("Order Completed", TYPE, "rejected"): 4,
        ("Order Completed", REQUIRED, "rejected"): 1,
        ("a\nb", "a\nb@7 /x version", "rejected"): 1,
        ("gone unplanned", "gone unplanned unplanned", "rejected"): 1,
    }
    (days,) = client.execute("SELECT uniq(day), any(day = toDate32(now('UTC'))) FROM plan_violations")
    assert days == (1, 1)
    assert client.execute("SELECT violations FROM events WHERE message_id = 'm1'") == [([TYPE, REQUIRED],)]


def test_what_bots_sent_is_in_their_view_and_in_no_other(client: Client, tables: Settings) -> None:
    topic = EVENTS.name(tables.namespace)

    def logged(record: Rec, offset: int) -> Rec:
        return record._replace(topic=topic, offset=offset)

    own, bots = logged(order("user_id:a", "o1", "5", message_id="m1"), 1), [
        logged(order("user_id:a", "o2", "7", message_id="m2", bot=True, violations=[TYPE]), 2),
        logged(order("user_id:a", "o3", "9", message_id="m3", bot=True), 3),
    ]  # fmt: skip
    put(client, LOG, own, *bots)
    put(client, STATE, cluster({"user_id:a": part_of([own])}))
    assert client.execute("SELECT message_id FROM events") == [("m1",)]
    assert client.execute("SELECT order_id FROM orders") == [("o1",)]
    shown = client.execute(
        "SELECT message_id, key, keys, identifiers, violations FROM bot_events ORDER BY message_id"
    )
    assert shown == [
        ("m2", "user_id:a", ["user_id:a"], {"user_id": ["a"]}, [TYPE]),
        ("m3", "user_id:a", ["user_id:a"], {"user_id": ["a"]}, []),
    ]
    assert [known.body["message_id"] for known in events_of(client, ["user_id:a"])] == ["m1"]
    found = stated(client, tables, {"Order Completed"}, [10] * 4, "")
    assert [one.message_id for one in found] == ["m1"]
    context = Context(T0 + DAY, "UTC", "USD")
    for least, members in ((1, 1), (2, 0)):
        when: Any = {"count": {"of": ["Order Completed"], "at_least": least}}
        segment = Segment(kind="segment", name="buyers", version=1, when=when)
        assert len(conditions.ask(client, conditions.members(segment, context))) == members


def test_of_an_event_that_came_twice_the_first_says_whether_a_bot_sent_it(client: Client) -> None:
    put(client, LOG, event(at=T0, message_id="m1"), event(at=T0, message_id="m2", bot=True))
    put(client, LOG, event(at=T0 + 1, message_id="m1", bot=True), event(at=T0 + 1, message_id="m2"))
    assert client.execute("SELECT message_id FROM events") == [("m1",)]
    assert client.execute("SELECT message_id FROM bot_events") == [("m2",)]


def test_a_plan_is_tried_on_the_events_of_its_source_since_then(client: Client, tables: Settings) -> None:
    at = today(client)
    put(
        client, LOG,
        event(at=at - 1, message_id="before"),
        event(at=at, message_id="m1", name="Order Completed", properties={"total": "1.5", "text": "Grüße 🎉"},
              traits={"plan": "gold"}, context={"protocols": {"event_version": 2}}),
        event(at=at, message_id="m2", bot=True, context={"protocols": {"event_version": "2"}}),
        event(at=at, message_id="m3", context={"protocols": 7}),
        event(at=at, message_id="m4", context={"protocols": {"event_version": None}}),
        event(at=at, message_id="m5", source="shop"),
        event(at=at, message_id="m6", type="link"),
    )  # fmt: skip
    put(client, LOG, event(at=at + 1, message_id="m1"))  # once more
    found = {one.message_id: one for one in taken(client, tables, "web", at)}
    assert found["m1"] == Taken(
        "Order Completed", "m1", 2, {"total": "1.5", "text": "Grüße 🎉"}, {"plan": "gold"}, {"user_id": ["a"]}
    )
    assert {id_: one.version for id_, one in found.items()} == {"m1": 2, "m2": "2", "m3": None, "m4": None}
    put(client, REJECTED, refused([TYPE], "m7", 1, at - 1), refused([TYPE], "m8", 2, at, {"text": "Grüße"}))
    assert list(rejected(client, tables, "web", at)) == [Rejected('{"text":"Grüße"}'.encode(), at)]
    assert list(rejected(client, tables, "shop", at)) == []


def test_where_clickhouse_is_away_it_is_said() -> None:
    away = Settings(clickhouse_port=1)
    with connect(away) as client, pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        next(taken(client, away, "web", 0))
