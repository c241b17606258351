"""Whose each identifier of a Cluster is, for the rows made of it."""

from typing import NamedTuple
from uuid import UUID

from schemas.state import Cluster, Published

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
    heirs = {name: heir for name, one in known.items() if not one["members"] and (heir := _heir(known, name))}
    return Customers(cluster, root, at, {name: UUID(name) for name in known}, owners, heirs)


def _heir(known: dict[str, Published], name: str) -> str:
    """Whom what was published of a former customer leads to; nobody for one of which nothing was told."""
    for _ in known:
        if name not in known or known[name]["members"]:
            break
        name = known[name].get("into", "")
    return name if name in known and known[name]["members"] else ""
