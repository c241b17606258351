"""Customers of a Cluster -> profiles_raw.

A published customer without members is one that is no longer in the view: it becomes a tombstone, whose `rev` lies
above that of its last row.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from orjson import dumps

from projections.rows.customers import Customers
from projections.table import (
    KAFKA,
    Column,
    Table,
    amount,
    count,
    instant,
    list_of,
    map_of,
    optional,
    raw,
    small,
    text,
    tuple_of,
    uuid,
    whole,
)
from schemas.facts import Part, identifiers_of, union
from schemas.state import Cluster, Published

Conflicts = dict[str, list[tuple[str, str, str]]]
"""By customer: (reason, its own identifier, the other one)."""
_day = whole(-(2**31), 2**31 - 1)
_some = whole(0, 2**32 - 1)
_counts, _amounts = map_of(text, count), map_of(text, amount)
_NONE: list[Any] = []
_NOTHING: dict[str, list[Any]] = {}

PROFILES = Table(
    "profiles_raw",
    (
        Column("customer_id", uuid),
        Column("stage", text),
        Column("stage_since", instant),
        Column("lifecycle", text),
        Column("labels", raw),
        Column("scores", list_of(small)),
        Column("left_out", _some),
        Column("identifiers", map_of(text, list_of(text))),
        Column("keys", list_of(text)),
        Column("conflicts", list_of(tuple_of(text, text, text))),
        Column("former_ids", list_of(uuid)),
        Column("first_seen", instant),
        Column("last_seen", instant),
        Column("first_own", optional(instant)),
        Column("last_own", optional(instant)),
        Column("events", count),
        Column("event_counts", _counts),
        Column("other_events", count),
        Column("active_days", map_of(_day, _some)),
        Column("channels", _counts),
        Column("sources", _counts),
        Column("purchases", _some),
        Column("revenue_by_currency", _amounts),
        Column("refunded_by_currency", _amounts),
        Column("contracts", _some),
        Column("renewals", _some),
        Column("contract_end", text),
        Column("stored_value", _amounts),
        Column("traits", raw),
        Column("sequence", _some),
        Column("logical_at", instant),
        Column("rev", count),
        Column("is_deleted", small),
        *KAFKA,
    ),
)
_GONE: tuple[Any, ...] = (
    "",
    0,
    "",
    "{}",
    _NONE,
    0,
    {},
    _NONE,
    _NONE,
    _NONE,
    0,
    0,
    None,
    None,
    0,
    {},
    0,
    {},
    {},
    {},
    0,
    {},
    {},
    0,
    0,
    "",
    {},
    "{}",
    0,
)


def profiles(customers: Customers) -> Iterator[tuple[Any, ...]]:
    """A row a customer, and one each that is none any more. ValueError for a customer without facts."""
    cluster, parts = customers.cluster, customers.cluster["parts"]
    conflicts, former = _conflicts(customers), _former(customers)
    for name, published in cluster["published"].items():
        gone = not published["members"]
        if gone:
            columns: tuple[Any, ...] = (customers.ids[name], *_GONE)
        else:
            own = [parts[member] for member in published["members"] if member in parts]
            if not own:
                raise ValueError(f"customer {name} without facts")
            identity = _identity(cluster, published, conflicts.get(name, _NONE), former.get(name, _NONE))
            columns = (customers.ids[name], *identity, *_facts(union(own)), published["sequence"])
        yield (*columns, cluster["at"], cluster["rev"], int(gone), *customers.at)


def _conflicts(customers: Customers) -> Conflicts:
    """Statements that do not count, at the customers of both their ends."""
    found: Conflicts = {}
    for pair, (reason, _) in customers.cluster["refused"].items():
        if reason:
            greater, _, lesser = pair.partition(" ")
            one, other = customers.owners.get(greater), customers.owners.get(lesser)
            if one != other:
                for customer, own, its in ((one, greater, lesser), (other, lesser, greater)):
                    if customer is not None:
                        found.setdefault(customer, []).append((reason, own, its))
    return found


def _former(customers: Customers) -> dict[str, list[UUID]]:
    """The former customers whose history each has."""
    found: dict[str, list[UUID]] = {}
    for former, heir in customers.heirs.items():
        found.setdefault(heir, []).append(customers.ids[former])
    return found


def _identity(
    cluster: Cluster, published: Published, conflicts: list[Any], former: list[UUID]
) -> tuple[Any, ...]:
    return (
        published["stage"],
        published["stage_since"],
        published["lifecycle"],
        dumps(published.get("labels", _NOTHING)),
        published.get("scores", _NONE),
        published.get("left_out", 0),
        identifiers_of(cluster["parts"].values(), published["members"]),
        published["members"],
        conflicts,
        former,
    )


def _facts(facts: Part) -> tuple[Any, ...]:
    totals = facts["books"]["totals"]
    return (
        facts["first"],
        facts["last"],
        facts["own_first"],
        facts["own_last"],
        facts["events"],
        {name: seen[0] for name, seen in facts["names"].items()},
        facts["other_names"],
        {int(day): number for day, number in facts["days"].items()},
        facts["channels"],
        facts["sources"],
        totals["purchases"],
        totals["revenue"],
        totals["refunded"],
        totals["contracts"],
        totals["renewals"],
        facts["books"]["contract_end"] or "",
        totals["stored_value"],
        dumps({name: stated[2] for name, stated in facts["traits"].items()}),
    )
