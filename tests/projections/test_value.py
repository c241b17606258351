"""The quantiles of a base are those of its customers, counted naively."""

from decimal import ROUND_CEILING, Decimal
from typing import Any

import pytest

from processors.calendar import Calendar
from projections.conditions import Context
from projections.connect import connect
from projections.migrate import migrate
from projections.value import Base, base
from schemas.portrait import Value
from schemas.settings import Settings
from tests.portrait_oracle import Customer, World, measures
from tests.portrait_strategies import DAY, NOON
from tests.projections.conftest import Server, settings_for
from tests.projections.crowd import crowd, store

ZONE = "America/New_York"
CUSTOMERS = crowd(3, 90, ZONE)
RATES = {"EUR": Decimal("1.123456789")}


def value(frequency: dict[str, Any]) -> Value:
    tiers = [{"tier": "gold", "points": 9}, {"tier": "bronze", "points": 0}]
    return Value.model_validate(
        {"kind": "value", "name": "worth", "version": 1, "frequency": frequency, "tiers": tiers}
    )


@pytest.fixture(scope="module")
def stored(clickhouse: Server) -> Settings:
    settings = settings_for(clickhouse)
    migrate(settings)
    with connect(settings) as client:
        store(client, CUSTOMERS, Calendar("UTC"))
    return settings


def naive(of: Value, now: int) -> Base:
    world = World(ZONE, "USD", RATES)
    everybody = [measures(of, Customer(one.events, max(now, one.at), world)) for one in CUSTOMERS]
    found = list(zip(*(each for each in everybody if each is not None), strict=True))
    places = [int(level * len(found[0])) for level in (0.2, 0.4, 0.6, 0.8)]
    relationship, frequency, monetary = ([sorted(column)[place] for place in places] for column in found)
    cut = [amount.quantize(Decimal("0.000000001"), ROUND_CEILING) for amount in monetary]
    return Base(tuple(relationship), tuple(frequency), tuple(cut), len(found[0]))


@pytest.mark.parametrize(
    "frequency",
    [
        {"event": "Order Completed"},
        {"event": ["Visit", "Page Viewed"], "within": {"last_days": 30}},
        {"event": "Order Completed", "where": [{"property": "currency", "is": "EUR"}]},
    ],
)
@pytest.mark.parametrize("now", [NOON, NOON + 100 * DAY])
def test_the_quantiles_are_those_of_everybody(stored: Settings, frequency: dict[str, Any], now: int) -> None:
    of = value(frequency)
    context = Context(now, ZONE, "USD", (of,), RATES)
    found = base(stored, of, context)
    assert found == naive(of, now)
    assert base(stored, of, context) == found, "the same each time"


def test_a_base_of_nobody_has_none(clickhouse: Server) -> None:
    settings = settings_for(clickhouse)
    migrate(settings)
    of = value({"event": "Visit"})
    assert base(settings, of, Context(NOON, ZONE, "USD", (of,))) is None
