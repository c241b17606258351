"""What the view of customers was when it was last published, and what changed since: merged, split, conflict."""

from typing import Any, NamedTuple

from processors.identifiers import Identifiers, ends
from processors.messages import Change
from processors.rules.customers import Statement, View, customers
from schemas.changes import IDENTITY_CHANGED, change_id, customer_id
from schemas.state import MAX_LINKS, Cluster, Published

TOO_LARGE = "too_large"


class Cause(NamedTuple):
    """The event that made the view change."""

    at: int
    name: str  # source/message_id


def cause_of(when: list[Any]) -> Cause:
    """The event that made a statement: [occurred_at, message_id, source]."""
    at, message_id, source = when
    return Cause(at, f"{source}/{message_id}")


def review(cluster: Cluster, identifiers: Identifiers, cause: Cause) -> list[Change]:
    """Bring `published` to today's customers; those that are new have no stage yet. Gives what changed."""
    if len(cluster["members"]) == 1 and not cluster["published"] and not cluster["refused"]:
        return _first(cluster)
    view = customers(cluster, identifiers)
    ids = {published["head"]: id_ for id_, published in cluster["published"].items()}
    now = {
        ids.get(group[0]) or customer_id(group[0]): group
        for group in view.groups
        if any(member in cluster["parts"] for member in group)
    }
    splits = _split(cluster, now, cause)
    merged = _take_over(cluster, now)
    return [*splits, *_merged(cluster, view, merged, cause), *_conflicts(cluster, view, now, cause)]


def _first(cluster: Cluster) -> list[Change]:
    """An identifier that joins nobody becomes a customer with its first event; most customers are that."""
    key = cluster["members"][0]
    if key in cluster["parts"]:
        cluster["published"][customer_id(key)] = {**_new(key, cluster["at"]), "members": [key]}
    return []


def refuse(cluster: Cluster, pair: str, cause: Cause) -> list[Change]:
    """Note that two clusters are not united, for the two together would be too large; gives the conflict.

    Where neither identifier is a customer's yet, the conflict is published once one is.
    """
    known = cluster["refused"].setdefault(pair, [TOO_LARGE, 0])
    _bound(cluster)
    return _too_large(cluster, pair, known, _owners(cluster), cause)


def _owners(cluster: Cluster) -> dict[str, str]:
    """Identifier -> the customer that it was published with."""
    return {m: id_ for id_, published in cluster["published"].items() for m in published["members"]}


def _bound(cluster: Cluster) -> None:
    if len(cluster["refused"]) > MAX_LINKS:
        del cluster["refused"][max(cluster["refused"])]


def _too_large(
    cluster: Cluster, pair: str, known: list[Any], owner: dict[str, str], cause: Cause
) -> list[Change]:
    mine = next((owner[end] for end in ends(pair) if end in owner), None)
    if mine is None or known != [TOO_LARGE, 0]:
        return []
    known[1] = 1
    return [_change(cluster, "conflict", mine, None, pair, TOO_LARGE, cause, 1)]


def _split(cluster: Cluster, now: dict[str, list[str]], cause: Cause) -> list[Change]:
    """Customers that are back, and new ones that were part of another which is there still."""
    published, changes = cluster["published"], list[Change]()
    owner = _owners(cluster)
    for id_ in sorted(now):
        known = published.get(id_)
        if known is None:
            published[id_] = _new(now[id_][0], cluster["at"])
            former = owner.get(now[id_][0])
            parted = former if former in now else None
        else:
            parted = None if known["members"] else _heir(cluster, id_)
        if parted:
            published[id_]["moves"] += 1
            moves = published[id_]["moves"]
            changes.append(_change(cluster, "split", parted, id_, "", "", cause, moves))
    return changes


def _take_over(cluster: Cluster, now: dict[str, list[str]]) -> dict[str, str]:
    """Note today's customers. Those that are no more -> who has their history, where another was told to have it."""
    into = {member: id_ for id_, group in now.items() for member in group}
    merged, published = dict[str, str](), cluster["published"]
    gone = {id_: one["members"] for id_, one in published.items() if id_ not in now}
    for id_, group in now.items():
        published[id_]["members"] = list(group)
        published[id_].pop("into", None)
    for id_, members in sorted(gone.items()):
        one = published[id_]
        one["members"] = []
        if members:
            merged[id_] = one["into"] = next(into[m] for m in (one["head"], *members) if m in into)
    for id_ in sorted(gone):
        heir = into.get(published[id_]["head"])
        if heir and heir != _heir(cluster, id_):
            merged[id_] = published[id_]["into"] = heir
    return merged


def _heir(cluster: Cluster, id_: str) -> str:
    """The customer that has the history of this one, as far as was told."""
    while (into := cluster["published"][id_].get("into")) is not None:
        id_ = into
    return id_


def _new(head: str, at: int) -> Published:
    return {
        "head": head, "members": [], "stage": None, "stage_since": at, "lifecycle": "", "sequence": 0, "moves": 0,
    }  # fmt: skip


def _merged(cluster: Cluster, view: View, merged: dict[str, str], cause: Cause) -> list[Change]:
    changes = []
    for id_, heir in merged.items():
        published = cluster["published"][id_]
        pair, by = _stated(view.lost.get(published["head"]), cause)
        published["moves"] += 1
        changes.append(_change(cluster, "merged", heir, id_, pair, "", by, published["moves"]))
    return changes


def _conflicts(cluster: Cluster, view: View, now: dict[str, list[str]], cause: Cause) -> list[Change]:
    """Statements that are refused and were not before; notes what is refused now."""
    of = {member: id_ for id_, group in now.items() for member in group}
    members, known, changes = set(cluster["members"]), cluster["refused"], list[Change]()
    refused = {pair: why for pair, why in view.refused.items() if any(end in of for end in ends(pair))}
    for pair, stated in known.items():
        if stated[0] == TOO_LARGE and not members.issuperset(ends(pair)):
            changes += _too_large(cluster, pair, stated, of, cause)
        elif pair not in refused:
            stated[0] = ""
    for pair, why in refused.items():
        if _is_news(cluster, pair, why):
            sides = [of[end] for end in ends(pair) if end in of]
            other = sides[1] if len(sides) > 1 else None
            times = known.get(pair, (why, 1))[1]
            changes.append(_change(cluster, "conflict", sides[0], other, pair, why, cause, times))
    return changes


def _is_news(cluster: Cluster, pair: str, why: str) -> bool:
    """Whether a statement was not refused for this reason before; notes that it is."""
    known = cluster["refused"].setdefault(pair, ["", 0])
    if known[0] == why:
        return False
    known[:] = [why, known[1] + 1]
    _bound(cluster)
    return True


def _stated(statement: Statement | None, cause: Cause) -> tuple[str, Cause]:
    if statement is None:
        return "", cause
    when, pair, _ = statement
    return pair, cause_of(when)


def _change(
    cluster: Cluster,
    what: str,
    customer: str,
    other: str | None,
    pair: str,
    reason: str,
    cause: Cause,
    k: int,
) -> Change:
    """`k`: the how manieth such change of the pair or of the other customer it is."""
    id_ = change_id(customer, "identity", what, f"{cause.name} {pair}", other, reason, k)
    body = {
        "v": 1, "id": id_, "change": what, "customer_id": customer, "other_id": other,
        "through": list(ends(pair)) if pair else [], "reason": reason, "effective_at": cluster["at"],
        "stated_at": cause.at, "cause": cause.name,
    }  # fmt: skip
    return Change(customer, id_, IDENTITY_CHANGED, cluster["at"], body)
