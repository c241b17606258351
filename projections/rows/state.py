"""`cdp.state.v1` -> profiles_raw and identities_raw, both from Cluster records.

A Link says nothing that its owner's Cluster does not say, and a position is the workers' own; both are passed
over by name. A published customer without members is one that is no longer in the view: it becomes a
tombstone, whose `rev` lies above that of its last row.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from orjson import dumps, loads

from projections.table import (
    KAFKA,
    Column,
    Made,
    Record,
    Table,
    Unreadable,
    amount,
    count,
    instant,
    list_of,
    map_of,
    optional,
    raw,
    small,
    text,
    uuid,
    whole,
)
from schemas.facts import Part, new_part, union
from schemas.state import Cluster, NewerFormat, Published, upcast

Customers = Sequence[tuple[UUID, Published]]
Place = tuple[str, int, int]
_day = whole(-(2**31), 2**31 - 1)
_some = whole(0, 2**32 - 1)
_counts, _amounts = map_of(text, count), map_of(text, amount)

PROFILES = Table(
    "profiles_raw",
    (
        Column("customer_id", uuid),
        Column("stage", text),
        Column("stage_since", instant),
        Column("lifecycle", text),
        Column("identifiers", map_of(text, list_of(text))),
        Column("keys", list_of(text)),
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
IDENTITIES = Table(
    "identities_raw",
    (
        Column("key", text),
        Column("customer_id", uuid),
        Column("rev", count),
        Column("is_deleted", small),
        *KAFKA,
    ),
)


def rows(records: Sequence[Record]) -> Made:
    """Clusters as columns of PROFILES and IDENTITIES."""
    made = Made()
    profiles: list[tuple[Any, ...]] = []
    identities: list[tuple[Any, ...]] = []
    for record in records:
        try:
            cluster = _cluster(record)
            if cluster is not None:
                at = (record.topic, record.partition, record.offset)
                customers = [(UUID(name), published) for name, published in cluster["published"].items()]
                found = list(_profiles(cluster, customers, at)), list(_identities(cluster, customers, at))
                profiles += found[0]
                identities += found[1]
        except NewerFormat as error:
            made.unreadable.append(Unreadable(record, str(error)))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            made.unreadable.append(Unreadable(record, f"{type(error).__name__}: {str(error)[:200]}"))
    for table, found_rows in ((PROFILES, profiles), (IDENTITIES, identities)):
        if found_rows:
            made.columns[table.name] = list(zip(*found_rows, strict=True))
    return made


def _cluster(record: Record) -> Cluster | None:
    if record.value is None:  # compaction's tombstone of an identifier that has no state any more
        return None
    state = upcast(loads(record.value))
    if state["kind"] in ("link", "position"):
        return None
    if state["kind"] != "cluster":
        raise ValueError(f"a state of kind {str(state['kind'])[:40]!r}")
    return state  # type: ignore[return-value]


def _profiles(cluster: Cluster, customers: Customers, at: Place) -> Iterator[tuple[Any, ...]]:
    parts = cluster["parts"]
    for customer_id, published in customers:
        own = [parts[member] for member in published["members"] if member in parts]
        gone = not published["members"]
        if not own and not gone:
            raise ValueError(f"customer {customer_id} without facts")
        facts = union(own) if own else new_part(published["stage_since"])
        yield (*_columns(customer_id, published, facts), cluster["at"], cluster["rev"], int(gone), *at)


def _columns(customer_id: UUID, published: Published, facts: Part) -> tuple[Any, ...]:
    totals = facts["books"]["totals"]
    return (
        customer_id,
        published["stage"],
        published["stage_since"],
        published["lifecycle"],
        facts["identifiers"],
        published["members"],
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
        published["sequence"],
    )


def _identities(cluster: Cluster, customers: Customers, at: Place) -> Iterator[tuple[Any, ...]]:
    rev = cluster["rev"]
    for customer_id, published in customers:
        for key in published["members"]:
            yield key, customer_id, rev, 0, *at
