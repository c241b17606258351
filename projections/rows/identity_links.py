"""Statements of a Cluster -> identity_links_raw: one row a Cluster, whatever it knows.

The graph of a set of identifiers that were ever connected, and what became of each statement:
joined     the two identifiers are one customer's
unique, shared, split, too_large   refused, as in schemas.changes.IdentityChange
parted     an operator said that they are two
crowded    an end is linked with more identifiers than its limit: the link does not count
elsewhere  an end is not of this set: it is about to be, or never will be (crowded or too large)
nobody     neither end had an event of its own
"""

from collections.abc import Iterator
from typing import Any

from projections.rows.customers import Customers, Place
from projections.table import (
    KAFKA,
    Column,
    Table,
    count,
    instant,
    list_of,
    optional,
    small,
    text,
    tuple_of,
    uuid,
)
from schemas.state import Link

_own = optional(uuid)
IDENTITY_LINKS = Table(
    "identity_links_raw",
    (
        Column("root", text),
        # greater, lesser, kind, stated_at, message_id, source, verdict, whose the greater is, whose the lesser
        Column("links", list_of(tuple_of(text, text, text, instant, text, text, text, _own, _own))),
        Column("rev", count),
        Column("is_deleted", small),
        *KAFKA,
    ),
)


def links(customers: Customers) -> list[tuple[Any, ...]]:
    """One row with all statements; none where none was made, for they are never forgotten."""
    cluster = customers.cluster
    if not cluster["links"] and not cluster["said"]:
        return []
    return [(customers.root, list(_links(customers)), cluster["rev"], 0, *customers.at)]


def no_links(link: Link, root: str, at: Place) -> list[tuple[Any, ...]]:
    """The tombstone of a set that was absorbed: the absorber has its statements."""
    return [(root, [], link["rev"], 1, *at)]


def _links(customers: Customers) -> Iterator[tuple[Any, ...]]:
    cluster, ids, owners = customers.cluster, customers.ids, customers.owners
    members, refused = frozenset(cluster["members"]), cluster["refused"]
    stated = [(pair, "link", *when) for pair, when in cluster["links"].items()]
    stated += [(pair, says, at, id_, source) for pair, (at, id_, source, says) in cluster["said"].items()]
    for pair, kind, at, message_id, source in stated:
        greater, _, lesser = pair.partition(" ")
        one, other = owners.get(greater), owners.get(lesser)
        if kind == "split":
            verdict = "parted"
        elif one is not None and one == other:
            verdict = "joined"
        elif reason := pair in refused and refused[pair][0]:
            verdict = reason
        elif not (greater in members and lesser in members):
            verdict = "elsewhere"
        else:
            verdict = "nobody" if one is None and other is None else "crowded"
        whose = [None if name is None else ids[name] for name in (one, other)]
        yield greater, lesser, kind, at, message_id, source, verdict, *whose
