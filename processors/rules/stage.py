"""The lifecycle stage, published where it changed."""

from processors.messages import Change
from processors.rules.why import Public, Why
from schemas.changes import LIFECYCLE_CHANGED, change_id
from schemas.labels import Stage
from schemas.state import Cluster


def stage_change(cluster: Cluster, public: Public, customer: str, to: Stage, why: Why) -> Change:
    """The change of a customer that comes into another stage; noted as published."""
    published, now = cluster["published"][customer], cluster["at"]
    id_ = change_id(customer, "lifecycle", published["lifecycle"], why.id, published["stage"], to, 0)
    body = {
        "v": 1,
        "id": id_,
        "customer_id": customer,
        "lifecycle": published["lifecycle"],
        "from": published["stage"],
        "to": to,
        "sequence": published["sequence"] + 1,
        "identifiers": public,
        "effective_at": now,
        "caused_at": why.at,
        "cause": why.cause,
    }
    published["stage"], published["stage_since"] = to, now
    published["sequence"] += 1
    return Change(customer, id_, LIFECYCLE_CHANGED, now, body)
