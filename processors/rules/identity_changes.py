"""A change of who is one customer, as it is published, and the event that made it."""

from typing import Any, NamedTuple

from processors.identifiers import ends
from processors.messages import Change
from schemas.changes import IDENTITY_CHANGED, change_id
from schemas.state import Cluster


class Cause(NamedTuple):
    """The event that made the view change."""

    at: int
    name: str  # source/message_id


def cause_of(when: list[Any]) -> Cause:
    """The event that made a statement: [occurred_at, message_id, source]."""
    at, message_id, source = when
    return Cause(at, f"{source}/{message_id}")


def owners(cluster: Cluster) -> dict[str, str]:
    """Identifier -> the customer that it was published with."""
    return {m: id_ for id_, published in cluster["published"].items() for m in published["members"]}


def identity_change(
    cluster: Cluster,
    what: str,
    customer: str,
    other: str | None,
    pair: str,
    reason: str,
    cause: Cause,
    k: int,
) -> Change:
    """A change to publish; `k`: the how manieth such change of the pair or of the other customer it is."""
    id_ = change_id(customer, "identity", what, f"{cause.name} {pair}", other, reason, k)
    body = {
        "v": 1, "id": id_, "change": what, "customer_id": customer, "other_id": other,
        "through": list(ends(pair)) if pair else [], "reason": reason, "effective_at": cluster["at"],
        "stated_at": cause.at, "cause": cause.name,
    }  # fmt: skip
    return Change(customer, id_, IDENTITY_CHANGED, cluster["at"], body)
