"""`cdp.state.v1` -> profiles_raw, identities_raw and identity_links_raw, all from Cluster records.

A Link says nothing that its owner's Cluster does not say, but that its own set is no more; a position is the workers'
own, and passed over by name.
"""

from collections.abc import Sequence
from typing import Any, cast

from orjson import loads

from projections.rows.customers import customers_of
from projections.rows.identities import IDENTITIES, identities
from projections.rows.identity_links import IDENTITY_LINKS, links, no_links
from projections.rows.profiles import PROFILES, profiles
from projections.table import Made, Record, Unreadable
from schemas.state import Cluster, Link, NewerFormat, upcast

TABLES = (PROFILES, IDENTITIES, IDENTITY_LINKS)


def rows(records: Sequence[Record]) -> Made:
    """States as columns of TABLES."""
    made = Made()
    found: tuple[list[tuple[Any, ...]], ...] = tuple([] for _ in TABLES)
    for record in records:
        try:
            for rows_of_table, own in zip(found, _rows(record), strict=True):
                rows_of_table.extend(own)
        except NewerFormat as error:
            made.unreadable.append(Unreadable(record, str(error)))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            made.unreadable.append(Unreadable(record, f"{type(error).__name__}: {str(error)[:200]}"))
    for table, all_rows in zip(TABLES, found, strict=True):
        if all_rows:
            made.columns[table.name] = list(zip(*all_rows, strict=True))
    return made


def _rows(record: Record) -> tuple[list[tuple[Any, ...]], ...]:
    """The rows of one record, by table."""
    if record.value is None:  # compaction's tombstone of an identifier that has no state any more
        return [], [], []
    state, at = upcast(loads(record.value)), (record.topic, record.partition, record.offset)
    root = record.key.decode()  # type: ignore[union-attr]  # no key: unreadable
    match state["kind"]:
        case "cluster":
            customers = customers_of(cast("Cluster", state), root, at)
            return list(profiles(customers)), list(identities(customers)), links(customers)
        case "link":
            return [], [], no_links(cast("Link", state), root, at)
        case "position":
            return [], [], []
    raise ValueError(f"a state of kind {str(state['kind'])[:40]!r}")
