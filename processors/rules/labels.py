"""Tags, segments, roles and the value tier: what a customer enters and leaves, published once each."""

from collections.abc import Collection, Sequence
from typing import Any

from processors.messages import Change
from processors.portrait.evaluate import Changed
from processors.portrait.model import STAGE, VALUE, Portrait
from processors.portrait.subject import Subject
from processors.rules.why import Public, Why
from schemas.changes import SEGMENT_CHANGED, change_id
from schemas.state import Cluster, Published


def label_changes(
    cluster: Cluster,
    portrait: Portrait,
    public: Public,
    customer: str,
    who: Subject,
    changed: Sequence[Changed],
    touched: Collection[str] | None,
    why: Why,
) -> list[Change]:
    """Bring what is published of a customer to what was found; what changed, each label's leaving before its entering.

    `touched`: the definitions that were evaluated; None: all, and labels of definitions that are no more are left.
    """
    published, changes = cluster["published"][customer], list[Change]()
    if touched is None:
        gone = [name for name in published.get("labels", ()) if name not in portrait.labels]
        changes += [_left(cluster, public, customer, name, why) for name in gone]
    for rule, was, now in changed:
        if rule.id == STAGE:
            continue
        if was is not None:
            changes.append(_left(cluster, public, customer, rule.label, why))
        if now is not None:
            entry = [now, cluster["at"], rule.version]
            changes.append(_entered(cluster, public, customer, rule.label, entry, why))
    if touched is None or VALUE in touched:
        _note_value(published, who)
    if touched is None and "labels" in published:
        for rule in portrait.rules:
            if rule.label in published["labels"]:
                published["labels"][rule.label][2] = rule.version
    return changes


def leave_all(cluster: Cluster, public: Public, customer: str, why: Why) -> list[Change]:
    """A customer that is no more leaves everything."""
    published = cluster["published"][customer]
    published.pop("scores", None)
    published.pop("left_out", None)
    return [_left(cluster, public, customer, name, why) for name in list(published.get("labels", ()))]


def _note_value(published: Published, who: Subject) -> None:
    left_out = who.revenue()[1]
    published.pop("scores", None)
    published.pop("left_out", None)
    if who.scores is not None:
        published["scores"] = list(who.scores)
    if left_out:
        published["left_out"] = left_out


def _entered(
    cluster: Cluster, public: Public, customer: str, name: str, entry: list[Any], why: Why
) -> Change:
    cluster["published"][customer].setdefault("labels", {})[name] = entry
    return _change(cluster, public, customer, "entered", name, entry, why)


def _left(cluster: Cluster, public: Public, customer: str, name: str, why: Why) -> Change:
    published = cluster["published"][customer]
    entry = published["labels"].pop(name)
    if not published["labels"]:
        del published["labels"]
    return _change(cluster, public, customer, "left", name, entry, why)


def _change(
    cluster: Cluster,
    public: Public,
    customer: str,
    change: str,
    label: str,
    entry: list[Any],
    why: Why,
) -> Change:
    published, now, (kind, _, name) = cluster["published"][customer], cluster["at"], label.partition("/")
    value, _, version = entry
    definition = f"{label}/{version}"
    id_ = change_id(customer, kind, definition, why.id, change, value, 0)
    published["label_sequence"] = published.get("label_sequence", 0) + 1
    body = {
        "v": 1, "id": id_, "change": change, "customer_id": customer, "kind": kind, "name": name, "value": value,
        "definition": definition, "effective_at": now, "caused_at": why.at, "cause": why.definition or why.cause,
        "sequence": published["label_sequence"],
        "identifiers": public,
    }  # fmt: skip
    return Change(customer, id_, SEGMENT_CHANGED, now, body)
