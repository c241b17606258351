"""Strategies: random logs of a few customers, all of it received within the window of duplicates."""

from typing import Any
from zlib import crc32

import orjson
from hypothesis import strategies as st

from schemas.semantics import REGISTRY
from tests.processors.events import DAY, HOUR, Said, at, event

START, NOW = at("2024-01-01"), at("2026-06-01")
WHO = ("ada", "bob", "eve")
NAMES = (*REGISTRY, "Song Played", "Page Viewed")
ZONES = ("UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana")

ids = st.sampled_from(["1", "2", "3"])
amounts = st.sampled_from(["0", "10", "10.5", "99.99", "0.000000001"])
currencies = st.sampled_from(["USD", "EUR"])
days = st.sampled_from(["2024-06-30", "2025-03-30", "2026-01-31", "2027-12-31"])
times = st.integers(0, (NOW - START) // HOUR).map(lambda hours: START + hours * HOUR)


@st.composite
def properties(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """What an event of this name states of the books."""
    match name:
        case "Order Completed":
            return {"order_id": draw(ids), "total": draw(amounts), "currency": draw(currencies)}
        case "Order Cancelled":
            return {"order_id": draw(ids)}
        case "Order Refunded":
            amount = draw(st.none() | amounts)
            said = "total" if draw(st.integers(0, 3)) else "refunded_total"
            stated = {} if amount is None else {said: amount}
            currency = draw(st.none() | currencies)
            return {"order_id": draw(ids), "refund_id": draw(ids), **stated} | (
                {"currency": currency} if currency else {}
            )
        case "Contract Signed" | "Contract Renewed":
            return {"contract_id": draw(ids), "ends_at": draw(days)}
        case "Value Loaded" | "Value Spent":
            return {"movement_id": draw(ids), "amount": draw(amounts), "currency": draw(currencies)}
    return {}


@st.composite
def events(draw: st.DrawFn) -> Said:
    """One event. Equal ids never have another content: the id is the content's."""
    name = draw(st.sampled_from(NAMES))
    stated, when, who = draw(properties(name)), draw(times), draw(st.sampled_from(WHO))
    source, number = draw(st.sampled_from(["shop", "till"])), draw(st.integers(0, 2))
    traits = draw(st.dictionaries(st.sampled_from(["city", "vip"]), st.integers(0, 3), max_size=2))
    others = draw(st.lists(st.sampled_from(["email:1", "email:2", "phone:3"]), max_size=2, unique=True))
    channel = draw(st.sampled_from(["web", "offline"]))
    content = orjson.dumps([name, stated, when, who, traits, others, number, channel])
    return event(
        name, when, who=who, source=source, properties=stated, traits=traits, others=others,
        id_=str(crc32(content)), channel=channel,
        received=NOW + draw(st.integers(0, 20)) * HOUR,
    )  # fmt: skip


def body(said: Said) -> dict[str, Any]:
    """The event that a record holds."""
    parsed: dict[str, Any] = orjson.loads(said.value)
    return parsed


ticks = st.integers(0, (NOW + 900 * DAY - START) // DAY).map(lambda n: START + n * DAY)
