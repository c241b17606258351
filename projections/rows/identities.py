"""Identifiers of a Cluster -> identities_raw: whose they are, and who has the history of each id ever published.

One row a key: an identifier is in one Cluster at a time, and an absorber's `rev` lies above what it took over. What
belongs to nobody becomes a tombstone, lest an older row be read.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from projections.rows.customers import Customers
from projections.table import KAFKA, Column, Table, count, small, text, uuid

NOBODY = UUID(int=0)

IDENTITIES = Table(
    "identities_raw",
    (
        Column("key", text),
        Column("customer_id", uuid),
        Column("root", text),
        Column("rev", count),
        Column("is_deleted", small),
        *KAFKA,
    ),
)


def identities(customers: Customers) -> Iterator[tuple[Any, ...]]:
    """A row for each identifier and each customer_id."""
    cluster, root, at, ids, owners, heirs = customers
    rev = cluster["rev"]
    for member in cluster["members"]:
        owner = owners.get(member)
        yield member, NOBODY if owner is None else ids[owner], root, rev, int(owner is None), *at
    for name, published in cluster["published"].items():
        heir = name if published["members"] else heirs.get(name)
        yield name, NOBODY if heir is None else ids[heir], root, rev, int(heir is None), *at
