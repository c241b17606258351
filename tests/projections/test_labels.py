"""What customers are, as analysts see it: tags, segments, roles and the tier of value, now and through time."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from clickhouse_driver import Client

from projections.batch import make
from projections.connect import connect
from projections.migrate import migrate
from projections.registry import PROJECTIONS
from projections.store import insert_all
from schemas.changes import customer_id
from tests.projections.conftest import Server, settings_for
from tests.projections.log import DAY, T0, Rec, cluster, event, moved, order, part_of

STATE, CHANGES = PROJECTIONS[0], PROJECTIONS[3]
HOUR = DAY // 24
LABELS = {
    "tag/basket": ["large", T0, 2],
    "tag/reach": ["consented", T0 - DAY, 1],
    "segment/win_back": ["", T0, 1],
    "segment/at_risk": ["", T0, 3],
    "role/member": ["", T0, 1],
    "role/consumer": ["", T0, 1],
    "value/customer": ["gold", T0, 1],
}


def put(client: Client, projection: Any, *records: Rec) -> None:
    made = make(projection, records)
    assert not made.unreadable
    insert_all(client, projection, made)


def at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def customer(key: str, total: str = "10", stage: str = "mature", rev: int = 1, **published: Any) -> Rec:
    part = part_of([order(key, "o1", total), event(key, at=T0 + 5)])
    return cluster({key: part}, stage=stage, rev=rev, **published)


def test_a_profile_says_what_the_customer_is(client: Client) -> None:
    put(client, STATE, customer("user_id:a", labels=LABELS, scores=[5, 3, 4], left_out=2))
    (row,) = client.execute(
        "SELECT tags, segments, roles, tier, relationship_score, frequency_score, monetary_score, revenue_left_out "
        "FROM profiles"
    )
    tags = {"basket": "large", "reach": "consented"}
    assert row == (tags, ["at_risk", "win_back"], ["consumer", "member"], "gold", 5, 3, 4, 2)


def test_of_a_customer_whom_nothing_is_said_of_nothing_is_shown(client: Client) -> None:
    put(client, STATE, customer("user_id:a"))
    assert client.execute(
        "SELECT tags, segments, roles, tier, relationship_score, monetary_score, revenue_left_out FROM profiles"
    ) == [({}, [], [], "", None, None, 0)]
    assert client.execute("SELECT count() FROM portraits") == [(0,)]


def test_a_portrait_says_since_when_and_by_which_definition_and_is_gone_with_its_customer(
    client: Client,
) -> None:
    put(client, STATE, customer("user_id:a", labels=LABELS))
    rows = client.execute("SELECT kind, name, value, since, definition FROM portraits ORDER BY kind, name")
    assert len(rows) == len(LABELS)
    assert rows[4:] == [
        ("tag", "basket", "large", at(T0), "tag/basket/2"),
        ("tag", "reach", "consented", at(T0 - DAY), "tag/reach/1"),
        ("value", "customer", "gold", at(T0), "value/customer/1"),
    ]
    put(client, STATE, customer("user_id:a", rev=2, members=[]))
    assert client.execute("SELECT count() FROM portraits") == [(0,)]


def test_whom_to_keep_and_whom_to_let_go(client: Client) -> None:
    gold, bronze = {"value/customer": ["gold", T0, 1]}, {"value/customer": ["bronze", T0, 1]}
    put(
        client,
        STATE,
        customer("user_id:a", "10.50", labels=gold, scores=[5, 3, 4]),
        customer("user_id:b", "20", labels=gold, scores=[4, 4, 3]),
        customer("user_id:c", "1", "silent", labels=bronze, scores=[1, 1, 1]),
        customer("user_id:d", "2", "silent"),
    )
    rows = client.execute("SELECT * EXCEPT last_active FROM stage_by_tier ORDER BY stage, least_points DESC")
    assert rows == [
        ("mature", "gold", 11, 2, Decimal("30.5"), Decimal("15.25"), 2),
        ("silent", "bronze", 3, 1, Decimal(1), Decimal(1), 1),
        ("silent", "", 0, 1, Decimal(2), Decimal(2), 1),
    ]


HISTORY = [
    moved("user_id:a", 1, "entered", "tag/basket", T0, "small", "shop/m1"),
    moved("user_id:a", 2, "entered", "segment/vip", T0 + HOUR),
    moved("user_id:a", 3, "left", "tag/basket", T0 + DAY, "small"),
    moved("user_id:a", 4, "entered", "tag/basket", T0 + DAY, "large"),
    moved("user_id:a", 5, "left", "segment/vip", T0 + 3 * DAY),
    moved("user_id:a", 6, "entered", "segment/vip", T0 + 5 * DAY),
    moved("user_id:b", 1, "entered", "segment/vip", T0 + 3 * DAY),
]


def test_every_change_is_a_row_and_leads_to_who_the_customer_is_now(client: Client) -> None:
    put(client, CHANGES, *HISTORY)
    put(client, STATE, customer("user_id:a"))
    rows = client.execute(
        "SELECT change, kind, name, value, cause, toString(current_customer_id) FROM segment_changes "
        "ORDER BY customer_id = current_customer_id DESC, sequence"
    )
    assert len(rows) == len(HISTORY)
    assert rows[0] == ("entered", "tag", "basket", "small", "shop/m1", customer_id("user_id:a"))
    assert rows[-1][-1] is None  # of whom no state is here yet


def test_who_was_what_at_a_time(client: Client) -> None:
    put(client, CHANGES, *reversed(HISTORY))
    periods = client.execute(
        "SELECT name, value, valid_from, valid_to FROM label_periods WHERE customer_id = %(a)s ORDER BY sequence",
        {"a": customer_id("user_id:a")},
    )
    assert periods == [
        ("basket", "small", at(T0), at(T0 + DAY)),
        ("vip", "", at(T0 + HOUR), at(T0 + 3 * DAY)),
        ("basket", "large", at(T0 + DAY), None),
        ("vip", "", at(T0 + 5 * DAY), None),
    ]


def test_counts_over_time(client: Client) -> None:
    put(client, CHANGES, *HISTORY)
    put(client, CHANGES, *HISTORY)  # delivered twice
    counts = "SELECT day, entered, left, members FROM segment_counts WHERE name = 'vip' ORDER BY day"
    assert client.execute(counts) == [
        (date(2026, 1, 1), 1, 0, 1),
        (date(2026, 1, 4), 1, 1, 1),
        (date(2026, 1, 6), 1, 0, 2),
    ]
    assert client.execute("SELECT value, members FROM segment_counts WHERE day = '2026-01-02'") == [
        ("large", 1),
        ("small", 0),
    ]


def test_a_day_is_one_of_the_deployments_time_zone(clickhouse: Server) -> None:
    settings = settings_for(clickhouse, timezone="Asia/Tokyo")
    migrate(settings)
    with connect(settings) as client:
        put(client, CHANGES, moved("user_id:a", 1, "entered", "segment/vip", T0 - 9 * HOUR))
        assert client.execute("SELECT day FROM segment_counts") == [(date(2026, 1, 1),)]


@pytest.mark.parametrize(
    "fault", [{"change": "gone"}, {"kind": "stage"}, {"sequence": 0}, {"customer_id": "x"}]
)
def test_what_is_no_change_of_a_label_is_told(fault: dict[str, Any]) -> None:
    good = moved("user_id:a", 1, "entered", "segment/vip", T0)
    made = make(CHANGES, [Rec(orjson.dumps(orjson.loads(good.value or b"") | fault))])
    assert not made.columns
    assert len(made.unreadable) == 1
