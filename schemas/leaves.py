"""Leaves: what a condition must remember of events, as small states that join in any order.

A leaf's state is a join of what single events state (`schemas/facts.py` keeps them in parts): counts by day, the newest
times, the latest value. It says itself what it is and how it is bounded, so that it can be joined where its definition
is not known yet. A key is the digest of what is remembered and the model from which on it is: "q83vAxk.7".
"""

import hashlib
import heapq
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import orjson
from typing_extensions import TypedDict

from schemas import money
from schemas.conditions import Filter

MAX_TIMES = 100
"""Times of each step that a sequence looks at: the newest."""
MAX_DISTINCT = 1_000
"""Distinct values that are told apart: those seen on the newest days, then in alphabetical order."""
MAX_INTERESTS = 100
"""Values that an interest keeps: the first in alphabetical order."""
HALVINGS = 24
"""After so many half-lives a sighting counts for nothing."""

Measure = Literal["count", "sum", "max", "distinct", "span", "latest", "interest", "times"]


class Leaf(NamedTuple):
    """What is remembered of which events.

    `days`: of the last so many days, by day; 0: ever. `between`: only these days, ISO. `period`: days of a half-life.
    """

    measure: Measure
    events: tuple[str, ...]
    where: tuple[Filter, ...] = ()
    property: str = ""
    days: int = 0
    between: tuple[date, date] | None = None
    period: int = 0


def digest_of(leaf: Leaf) -> str:
    """Equal where the same is remembered."""
    where = sorted(one.model_dump_json(by_alias=True, exclude_none=True) for one in leaf.where)
    plain = [leaf.measure, sorted(set(leaf.events)), where, *leaf[3:]]
    return hashlib.blake2b(orjson.dumps(plain), digest_size=8).hexdigest()


class LeafState(TypedDict):
    """count: day -> n. sum, max: day -> currency or "" -> decimal. distinct: value -> last day.

    span: [first, last]. latest: [occurred_at, message_id, value]. interest: value -> period -> n. times: instants,
    oldest first. The day is "" where all days are one.
    """

    m: Measure
    n: int  # days that are kept, the newest; 0 where all are one
    b: Any


LeafStates = dict[str, LeafState]
"""By key: digest.model"""


def join(mine: LeafStates, others: LeafStates) -> None:
    """Take over others' states, in place."""
    for key, other in others.items():
        known = mine.get(key)
        if known is None:
            mine[key] = copy(other)
        else:
            _JOINS[known["m"]](known, other["b"])


def copy(state: LeafState) -> LeafState:
    """A state of its own."""
    b = state["b"]
    if isinstance(b, dict):
        b = {name: dict(inner) if isinstance(inner, dict) else inner for name, inner in b.items()}
    return {"m": state["m"], "n": state["n"], "b": list(b) if isinstance(b, list) else b}


def _count(state: LeafState, other: dict[str, int]) -> None:
    b = state["b"]
    for day, number in other.items():
        b[day] = b.get(day, 0) + number
    _newest_days(state)


def _sum(state: LeafState, other: dict[str, dict[str, str]]) -> None:
    _amounts(state, other, money.add)


def _max(state: LeafState, other: dict[str, dict[str, str]]) -> None:
    _amounts(state, other, lambda a, b: max(a, b, key=Decimal))


def _amounts(state: LeafState, other: dict[str, dict[str, str]], both: Callable[[str, str], str]) -> None:
    for day, amounts in other.items():
        mine = state["b"].setdefault(day, {})
        for currency, amount in amounts.items():
            mine[currency] = both(mine[currency], amount) if currency in mine else amount
    _newest_days(state)


def _distinct(state: LeafState, other: dict[str, int]) -> None:
    b = state["b"]
    for value, day in other.items():
        b[value] = max(b.get(value, day), day)
    if len(b) > MAX_DISTINCT:
        state["b"] = dict(heapq.nsmallest(MAX_DISTINCT, b.items(), key=lambda item: (-item[1], item[0])))


def _span(state: LeafState, other: list[int]) -> None:
    b = state["b"]
    b[:] = [min(b[0], other[0]), max(b[1], other[1])]


def _latest(state: LeafState, other: list[Any]) -> None:
    state["b"] = max(state["b"], other, key=lambda stated: (stated[0], stated[1], orjson.dumps(stated[2])))


def _times(state: LeafState, other: list[int]) -> None:
    state["b"] = sorted([*state["b"], *other])[-MAX_TIMES:]


def _interest(state: LeafState, other: dict[str, dict[str, int]]) -> None:
    b = state["b"]
    for value, periods in other.items():
        mine = b.setdefault(value, {})
        for period, number in periods.items():
            mine[period] = mine.get(period, 0) + number
        if len(mine) > HALVINGS + 1:
            for period in sorted(mine, key=int)[: -HALVINGS - 1]:
                del mine[period]
    if len(b) > MAX_INTERESTS:
        for value in sorted(b)[MAX_INTERESTS:]:
            del b[value]


def _newest_days(state: LeafState) -> None:
    """Of a window of N days at most N can still count: no event is later than the customer's logical time."""
    b, bound = state["b"], state["n"]
    if bound and len(b) > bound:
        for day in sorted(b, key=int)[:-bound]:
            del b[day]


_JOINS: dict[str, Callable[[LeafState, Any], None]] = {
    "count": _count, "sum": _sum, "max": _max, "distinct": _distinct, "span": _span, "latest": _latest,
    "interest": _interest, "times": _times,
}  # fmt: skip
