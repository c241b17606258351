from typing import Any

import orjson

from projections.batch import make
from projections.registry import PROJECTIONS
from projections.rows import events
from tests.projections.log import T0, Rec, event, order

EVENTS = PROJECTIONS[1]


def column(name: str, records: list[Rec]) -> list[object]:
    made = make(EVENTS, records)
    names = [column.name for column in events.EVENTS.columns]
    return list(made.columns["events_raw"][names.index(name)])


def test_an_event_is_a_row_with_its_place_in_the_log() -> None:
    record = event(properties={"sku": "a"})._replace(topic="cdp.events.v1", partition=3, offset=42)
    assert column("name", [record]) == ["Page Viewed"]
    assert column("properties", [record]) == [b'{"sku":"a"}']
    assert column("kafka_topic", [record]) + column("kafka_partition", [record]) == ["cdp.events.v1", 3]
    assert column("kafka_offset", [record]) == [42]


def test_ticks_the_clock_and_markers_are_no_events() -> None:
    said: list[dict[str, Any]] = [
        {"type": "tick", "at": T0},
        {"type": "clock", "running": True},
        {"type": "marker"},
    ]
    made = make(EVENTS, [Rec(orjson.dumps({"v": 1, **one}), one["type"].encode()) for one in said])
    assert not made.columns
    assert not made.unreadable


def test_what_an_event_states_about_an_order_stands_beside_it() -> None:
    record = order("user_id:a", "o1", "12.50")
    assert column("entry", [record]) == ["order"]
    assert column("entry_id", [record]) == ["o1"]
    assert column("entry_amount", [record]) == ["12.5"]


def test_what_cannot_be_read_is_told_and_the_others_are_rows() -> None:
    body = orjson.loads(event().value or b"")
    bad = [
        Rec(b"{", offset=1),
        Rec(b"\xff\xfe", offset=2),
        Rec(None, offset=3),
        Rec(b"[]", offset=4),
        Rec(b"null", offset=5),
        Rec(orjson.dumps({**body, "name": 5}), offset=6),
        Rec(orjson.dumps({**body, "occurred_at": "now"}), offset=7),
        Rec(orjson.dumps({**body, "received_at": 2**63}), offset=8),
        Rec(orjson.dumps({**body, "source": None}), offset=9),
        Rec(orjson.dumps(body), key=None, offset=10),
        Rec(orjson.dumps(body), key=b"\xff", offset=11),
        Rec(b"[" * 100_000, offset=12),
    ]
    good = event()._replace(offset=20)
    made = make(EVENTS, [*bad, good])
    assert list(made.columns["events_raw"][-1]) == [20]
    assert sorted(one.record.offset for one in made.unreadable) == list(range(1, 13))
    assert all(one.detail for one in made.unreadable)
