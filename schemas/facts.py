"""A customer's facts: things whose order of arrival does not matter.

They are kept in parts, one for each primary identifier. Everything here is a join of partial knowledge:
counts, sums, first and last times, the latest value by (occurred_at, message_id), day buckets, business
objects by id. So the union of two parts is the part that would have seen both logs (`union`), in any order. A
part is the parsed JSON itself; short lists stand for tuples.
"""

import json
from collections.abc import Iterable
from typing import Any, NotRequired

from typing_extensions import TypedDict

from schemas import leaves
from schemas.books import Books, join_books, new_books
from schemas.leaves import LeafStates
from schemas.semantics import REGISTRY

MAX_NAMES = 100
"""Event names kept besides the registered ones: the first in alphabetical order; the rest are only counted.
"""
MAX_DAYS = 90
"""Day buckets kept: the newest."""
MAX_TRAITS = 100
"""Traits kept: the first names in alphabetical order."""
MAX_TRAIT_CHARS = 1_024
"""Characters of a trait's JSON; a longer one is left out of the profile (it stays in the log)."""
MAX_IDENTIFIERS = 50
"""Clear values kept a namespace: the first in alphabetical order."""


class Part(TypedDict):
    """The facts of the events of one primary identifier. Days are local day numbers since 1970-01-01."""

    events: int
    first: int
    last: int
    own_first: int | None
    own_last: int | None
    names: dict[str, list[int]]  # name -> [count, first, last]
    other_names: int
    days: dict[str, int]  # day -> events of the customer's own doing
    channels: dict[str, int]
    sources: dict[str, int]
    identifiers: dict[str, dict[str, str]]  # namespace -> clear value -> its key
    traits: dict[str, list[Any]]  # name -> [occurred_at, message_id, value]
    books: Books
    leaves: NotRequired[LeafStates]  # what the conditions in force must remember besides


def new_part(occurred_at: int) -> Part:
    """Facts of nothing yet; its first event follows at once."""
    return {
        "events": 0, "first": occurred_at, "last": occurred_at, "own_first": None, "own_last": None,
        "names": {}, "other_names": 0, "days": {}, "channels": {}, "sources": {}, "identifiers": {},
        "traits": {}, "books": new_books(),
    }  # fmt: skip


def union(parts: Iterable[Part]) -> Part:
    """The part that would have seen the events of all; one part is itself."""
    first, *rest = parts
    if not rest:
        return first
    whole = _copy(first)
    for part in rest:
        _join(whole, part)
    whole["books"] = join_books(first["books"], *(part["books"] for part in rest))
    return whole


def _copy(part: Part) -> Part:
    """A part of its own, as far as joining or folding changes what it holds; the rest is shared."""
    copied: Part = {
        **part,
        "names": {name: list(seen) for name, seen in part["names"].items()},
        "days": dict(part["days"]),
        "channels": dict(part["channels"]),
        "sources": dict(part["sources"]),
        "identifiers": {namespace: dict(values) for namespace, values in part["identifiers"].items()},
        "traits": dict(part["traits"]),
    }
    if "leaves" in part:
        copied["leaves"] = {key: leaves.copy(state) for key, state in part["leaves"].items()}
    return copied


def _join(a: Part, b: Part) -> None:
    """Take over the facts of another, but for its books."""
    a["events"] += b["events"]
    a["other_names"] += b["other_names"]
    a["first"], a["last"] = min(a["first"], b["first"]), max(a["last"], b["last"])
    a["own_first"], a["own_last"] = (
        least(a["own_first"], b["own_first"]),
        greatest(a["own_last"], b["own_last"]),
    )
    for name, (count, first, last) in b["names"].items():
        mine = a["names"].setdefault(name, [0, first, last])
        mine[:] = [mine[0] + count, min(mine[1], first), max(mine[2], last)]
    bound_names(a)
    for counts, more in (
        (a["days"], b["days"]),
        (a["channels"], b["channels"]),
        (a["sources"], b["sources"]),
    ):
        for key, number in more.items():
            counts[key] = counts.get(key, 0) + number
    bound_days(a["days"])
    for namespace, values in b["identifiers"].items():
        for value, key in values.items():
            put_identifier(a["identifiers"], namespace, value, key)
    for name, latest in b["traits"].items():
        put_trait(a["traits"], name, latest)
    if "leaves" in b:
        leaves.join(a.setdefault("leaves", {}), b["leaves"])


def least(a: int | None, b: int | None) -> int | None:
    """The smaller of two instants, where None is no instant."""
    return b if a is None else a if b is None else min(a, b)


def greatest(a: int | None, b: int | None) -> int | None:
    """The greater of two instants, where None is no instant."""
    return b if a is None else a if b is None else max(a, b)


def bound_names(part: Part) -> None:
    """Keep every registered name and the first MAX_NAMES others; count the events of the rest."""
    names = part["names"]
    if len(names) <= MAX_NAMES:
        return
    for name in sorted(name for name in names if name not in REGISTRY)[MAX_NAMES:]:
        part["other_names"] += names.pop(name)[0]


def bound_days(days: dict[str, int]) -> None:
    """Keep the newest MAX_DAYS buckets."""
    if len(days) > MAX_DAYS:
        for day in sorted(days, key=int)[:-MAX_DAYS]:
            del days[day]


def put_identifier(identifiers: dict[str, dict[str, str]], namespace: str, value: str, key: str) -> None:
    """Note a clear value and its key."""
    mine = identifiers.setdefault(namespace, {})
    if value not in mine:
        mine[value] = key
        if len(mine) > MAX_IDENTIFIERS:
            del mine[max(mine)]


def identifiers_of(parts: Iterable[Part], members: Iterable[str]) -> dict[str, list[str]]:
    """The clear values of these identifiers, by namespace, as far as these parts tell them."""
    keys, found = {*members, ""}, dict[str, list[str]]()
    for part in parts:
        for namespace, values in part["identifiers"].items():
            for value, key in values.items():
                if key in keys:
                    found.setdefault(namespace, []).append(value)
    return {namespace: sorted({*values})[:MAX_IDENTIFIERS] for namespace, values in sorted(found.items())}


def put_trait(traits: dict[str, list[Any]], name: str, stated: list[Any]) -> None:
    """Note [occurred_at, message_id, value]; the latest stays, the greater JSON where two are as late."""
    mine = traits.get(name)
    if mine is None or stated[:2] > mine[:2] or (stated[:2] == mine[:2] and _json(stated) > _json(mine)):
        traits[name] = stated
        if len(traits) > MAX_TRAITS:
            del traits[max(traits)]


def _json(stated: list[Any]) -> str:
    return json.dumps(stated[2], sort_keys=True)
