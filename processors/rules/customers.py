"""Customers are a view of a cluster: which of its identifiers are one person.

Here it is always one customer a cluster; the identity rules replace `groups` and nothing else.
"""

from schemas.changes import customer_id
from schemas.facts import Part, union
from schemas.state import Cluster


def groups(cluster: Cluster) -> dict[str, list[str]]:
    """The customers of a cluster: customer_id -> its identifiers, greatest first."""
    return {customer_id(cluster["members"][0]): cluster["members"]}


def facts_of(cluster: Cluster, members: list[str]) -> Part | None:
    """The facts of one customer: the union of its parts; None where none of its identifiers had an event."""
    parts = cluster["parts"]
    if len(members) == 1:
        return parts.get(members[0])
    mine = [parts[member] for member in members if member in parts]
    return union(mine) if mine else None
