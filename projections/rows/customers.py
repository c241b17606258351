"""Whose each identifier of a Cluster is, for the rows made of it."""

from typing import NamedTuple
from uuid import UUID

from schemas.state import Cluster

Place = tuple[str, int, int]
"""Topic, partition and offset of a record."""


class Customers(NamedTuple):
    """A Cluster, the identifier that is its root, and where it stands in the log.

    `ids`: every customer_id that it ever published. `owners`: identifier -> its customer; not in it where it has none.
    `heirs`: a former customer -> the customer that has its history; not in it where nobody has it.
    """

    cluster: Cluster
    root: str
    at: Place
    ids: dict[str, UUID]
    owners: dict[str, str]
    heirs: dict[str, str]


def customers_of(cluster: Cluster, root: str, at: Place) -> Customers:
    """Who is who in a Cluster. ValueError where a customer_id is no UUID."""
    known = cluster["published"]
    owners = {member: name for name, published in known.items() for member in published["members"]}
    heirs = {
        name: owners[published["head"]]
        for name, published in known.items()
        if not published["members"] and published["head"] in owners
    }
    return Customers(cluster, root, at, {name: UUID(name) for name in known}, owners, heirs)
