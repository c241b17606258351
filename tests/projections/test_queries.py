"""Every query that is shipped, on a tiny known set of customers."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from projections import queries
from projections.batch import make
from projections.connect import connect
from projections.migrate import migrate
from projections.profile import show
from projections.registry import PROJECTIONS
from projections.store import insert_all
from schemas.changes import customer_id
from schemas.definitions import load
from schemas.errors import ConfigError, NotFound
from schemas.identity import IdentityRules, Keys
from schemas.rejected import Reason
from schemas.settings import Settings
from tests.projections.conftest import READ_DATABASE, Server, settings_for
from tests.projections.log import DAY, T0, change, cluster, event, order, part_of, rejection

JANUARY, MARCH = date(2026, 1, 1), date(2026, 3, 1)
MARCH_3 = T0 + 61 * DAY


@pytest.fixture(scope="module")
def keys() -> Keys:
    rules = load("default", "identity")
    assert isinstance(rules, IdentityRules)
    return Keys(rules, "x" * 32)


@pytest.fixture(scope="module")
def asked(clickhouse: Server, keys: Keys) -> Settings:
    """Ann bought in January and March and is mature; Bob bought once and fell silent; Cleo only looked."""
    settings = settings_for(clickhouse, clickhouse_database=READ_DATABASE)
    migrate(settings)
    ann, bob, cleo = (keys.key("user_id", name)[0] for name in ("ann", "bob", "cleo"))
    refund = {"order_id": "a2", "total": "5", "currency": "USD"}
    sent = {"campaign_id": "spring"}
    logs = {
        ann: [
            order(ann, "a1", "10.10"),
            order(ann, "a2", "30", MARCH_3),
            event(ann, "Order Refunded", MARCH_3 + 1, properties=refund),
        ],
        bob: [order(bob, "b1", "7.25", T0 + DAY)],
        cleo: [
            event(cleo, "Message Sent", T0, properties=sent),
            event(cleo, "Message Opened", T0 + 1, properties=sent),
        ],
    }
    stages = {ann: "mature", bob: "silent", cleo: "prospect"}
    said = {
        ann: (
            {"segment/vip": ["", T0, 1], "tag/basket": ["large", T0, 1], "value/v": ["gold", T0, 1]},
            [5, 4, 4],
        ),
        bob: ({"segment/vip": ["", MARCH_3, 1], "value/v": ["bronze", T0, 1]}, [1, 1, 1]),
        cleo: ({}, []),
    }
    states = [
        cluster(
            {k: part_of(log)}, stage=stages[k], stage_since=T0 - DAY, labels=said[k][0], scores=said[k][1]
        )
        for k, log in logs.items()
    ]
    changes = [
        change(ann, 1, None, "prospect", T0),
        change(ann, 2, "prospect", "new", T0),
        change(ann, 3, "new", "mature", MARCH_3),
        change(bob, 1, None, "new", T0 + DAY),
        change(bob, 2, "new", "silent", MARCH_3),
        change(cleo, 1, None, "prospect", T0),
    ]
    log = [record for records in logs.values() for record in records]
    rejected = [rejection(Reason.MALFORMED, b"{")]
    with connect(settings) as client:
        for table in (table for projection in PROJECTIONS for table in projection.tables):
            client.execute(f"TRUNCATE TABLE {table.name}")
        for projection, records in zip(PROJECTIONS, (states, log, changes, [], [], rejected), strict=True):
            insert_all(client, projection, make(projection, records))
    return settings


def ids(keys: Keys, *names: str) -> list[str]:
    return [customer_id(keys.key("user_id", name)[0]) for name in names]


EXPECTED: dict[str, list[tuple[Any, ...]]] = {
    "stage_funnel": [("prospect", 2, 1), ("new", 2, 0), ("mature", 1, 1), ("silent", 1, 1)],
    "customers_by_stage": [("prospect", 1, 33.3), ("mature", 1, 33.3), ("silent", 1, 33.3)],
    "customers_by_label": [
        ("segment", "vip", "", 2, 66.7),
        ("value", "v", "bronze", 1, 33.3),
        ("value", "v", "gold", 1, 33.3),
        ("tag", "basket", "large", 1, 33.3),
    ],
    "keep_or_let_go": [
        ("gold", 0, 0, 1, 0, 0, Decimal("35.10"), Decimal(0)),
        ("bronze", 0, 0, 0, 1, 0, Decimal("7.25"), Decimal("7.25")),
        ("-", 1, 0, 0, 0, 0, Decimal(0), Decimal(0)),
    ],
    "cohort_retention": [(JANUARY, 0, 2, 100.0), (JANUARY, 2, 1, 50.0)],
    "revenue_by_stage": [
        ("mature", 1, Decimal("35.10"), Decimal("35.10"), 2),
        ("silent", 1, Decimal("7.25"), Decimal("7.25"), 1),
        ("prospect", 1, Decimal(0), Decimal(0), 0),
    ],
    "transitions_by_month": [
        (JANUARY, "", "new", 1),
        (JANUARY, "", "prospect", 2),
        (JANUARY, "prospect", "new", 1),
        (MARCH, "new", "mature", 1),
        (MARCH, "new", "silent", 1),
    ],
    "totals": [(3, 6, 3, 3, 2, "USD", Decimal("47.35"), Decimal(5), Decimal("42.35"))],
    "campaign_response": [("spring", 1, 0, 1, 0)],
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_figures_are_right(asked: Settings, name: str) -> None:
    assert queries.ask(asked, name).rows == EXPECTED[name]


def test_the_largest_customers_come_first(asked: Settings, keys: Keys) -> None:
    rows = queries.ask(asked, "largest_customers").rows
    assert [str(row[0]) for row in rows] == ids(keys, "ann", "bob", "cleo")
    assert rows[0][2:5] == ("mature", 2, Decimal("35.10"))


def test_who_went_silent_this_week(asked: Settings, keys: Keys) -> None:
    (row,) = queries.ask(asked, "silent_this_week").rows
    assert [str(row[0])] == ids(keys, "bob")
    assert row[5] == Decimal("7.25")


def test_what_was_rejected(asked: Settings) -> None:
    (row,) = queries.ask(asked, "rejected_by_reason").rows
    assert row[:3] == ("web", "malformed", 1)


def test_every_query_is_tried_and_says_what_it_answers() -> None:
    tried = {*EXPECTED, "largest_customers", "silent_this_week", "rejected_by_reason"}
    assert tried == set(queries.names())
    assert all(queries.title(name) for name in queries.names())


def test_a_profile_and_its_way_through_the_stages(asked: Settings, keys: Keys) -> None:
    found = show(asked, "user_id:ann", keys)
    assert found.columns["revenue"] == Decimal("35.10")
    assert [(p.stage, p.valid_to is None) for p in found.periods] == [
        ("prospect", False),
        ("new", False),
        ("mature", True),
    ]
    assert found.periods[0].valid_from == datetime(2026, 1, 1, tzinfo=UTC)
    assert [(label.kind, label.name, label.value) for label in found.portrait] == [
        ("segment", "vip", ""),
        ("tag", "basket", "large"),
        ("value", "v", "gold"),
    ]
    assert {label.since for label in found.portrait} == {datetime(2026, 1, 1, tzinfo=UTC)}
    assert show(asked, ids(keys, "ann")[0], None) == found


@pytest.mark.parametrize(
    "unknown", ["user_id:nobody", "email:x@example.org", "6f2b1a52-7a36-5d0e-9a53-5a4c1f6f0b11"]
)
def test_nobody_is_known_by_that_identifier(asked: Settings, keys: Keys, unknown: str) -> None:
    with pytest.raises(NotFound, match=unknown):
        show(asked, unknown, keys)


@pytest.mark.parametrize("wrong", ["ann", "nonsense:ann", "email:no-address", "user_id:", ""])
def test_what_is_no_identifier_is_told(asked: Settings, keys: Keys, wrong: str) -> None:
    with pytest.raises(ConfigError):
        show(asked, wrong, keys)
