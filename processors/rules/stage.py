"""The lifecycle stage: recomputed from facts, definition and logical time, and published where it changed."""

from typing import Any

from processors.messages import Change, Definitions
from processors.rules.customers import facts_of
from schemas.changes import LIFECYCLE_CHANGED, change_id
from schemas.facts import identifiers_of, least
from schemas.identity import split_namespace
from schemas.labels import Stage
from schemas.state import Cluster, Published

TIME = "time"


def advance(cluster: Cluster, until: int, definitions: Definitions) -> list[Change]:
    """Let time pass up to `until`: each change that falls due on the way comes true at its own instant."""
    changes: list[Change] = []
    while cluster["due_at"] is not None and cluster["due_at"] <= until:
        cluster["at"] = cluster["due_at"]
        changes += evaluate(cluster, definitions, TIME, cluster["at"], f"{TIME}/{cluster['at']}")
    cluster["at"] = max(cluster["at"], until)
    return changes


def evaluate(
    cluster: Cluster, definitions: Definitions, cause: str, caused_at: int, cause_id: str
) -> list[Change]:
    """The stage of each customer at the cluster's logical time; sets `due_at`; gives what changed."""
    now, stages, changes, due, aged = cluster["at"], definitions.stages, [], None, False
    for customer, published in cluster["published"].items():
        part = facts_of(cluster, published["members"])
        if part is None:
            continue
        stage = stages.stage_of(part, now)
        next_due, since_holds = stages.horizon(part, now)
        due, aged = least(due, next_due), aged or since_holds
        published["lifecycle"] = stages.key
        if stage != published["stage"]:
            id_ = change_id(customer, "lifecycle", stages.key, cause_id, published["stage"], stage, 0)
            body = _body(id_, customer, published, stage, _public(cluster, published, definitions))
            body |= {"effective_at": now, "caused_at": caused_at, "cause": cause}
            published["stage"], published["stage_since"] = stage, now
            published["sequence"] += 1
            changes.append(Change(customer, id_, LIFECYCLE_CHANGED, now, body))
    cluster["due_at"], cluster["aged"] = due, aged
    return changes


def is_settled(cluster: Cluster, known: bool, name: str, definitions: Definitions) -> bool:
    """Whether an event of this name cannot change a stage, so that `evaluate` can be spared.

    No condition names it, and no `since` holds that it could end. It may put off what `due_at` waits for, which then
    is only a lower bound: the evaluation that it brings finds nothing and sets it anew.
    """
    return known and not cluster["aged"] and name not in definitions.stages.names


def _body(
    id_: str, customer: str, published: Published, to: Stage, public: dict[str, list[str]]
) -> dict[str, Any]:
    return {
        "v": 1,
        "id": id_,
        "customer_id": customer,
        "lifecycle": published["lifecycle"],
        "from": published["stage"],
        "to": to,
        "sequence": published["sequence"] + 1,
        "identifiers": public,
    }


def _public(cluster: Cluster, published: Published, definitions: Definitions) -> dict[str, list[str]]:
    known = identifiers_of(cluster["parts"].values(), published["members"])
    return {
        namespace: values
        for namespace, values in known.items()
        if split_namespace(namespace)[0] in definitions.public_namespaces
    }
