"""What the view of customers was when it was last published, and what changed since: merged, split, conflict."""

from processors.identifiers import Identifiers
from processors.messages import Change
from processors.rules.conflicts import conflicts
from processors.rules.customers import Statement, View, customers
from processors.rules.identity_changes import Cause, cause_of, identity_change, owners
from schemas.changes import customer_id
from schemas.state import Cluster, Published


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
    return [*splits, *_merged(cluster, view, merged, cause), *conflicts(cluster, view, now, cause)]


def _first(cluster: Cluster) -> list[Change]:
    """An identifier that joins nobody becomes a customer with its first event; most customers are that."""
    key = cluster["members"][0]
    if key in cluster["parts"]:
        cluster["published"][customer_id(key)] = {**_new(key, cluster["at"]), "members": [key]}
    return []


def _split(cluster: Cluster, now: dict[str, list[str]], cause: Cause) -> list[Change]:
    """Customers that are back, and new ones that were part of another which is there still."""
    published, changes = cluster["published"], list[Change]()
    owner = owners(cluster)
    for id_ in sorted(now):
        known = published.get(id_)
        if known is None:
            published[id_] = _new(now[id_][0], cluster["at"])
            former = owner.get(now[id_][0])
            parted = former if former in now else None
        else:
            parted = None if known["members"] else _line(cluster, id_)[-1]
        if parted:
            published[id_]["moves"] += 1
            moves = published[id_]["moves"]
            changes.append(identity_change(cluster, "split", parted, id_, "", "", cause, moves))
    return changes


def _take_over(cluster: Cluster, now: dict[str, list[str]]) -> dict[str, str]:
    """Note today's customers. Those that are no more -> who has their history, where another was told to have it.

    A former customer follows the one into which it was merged, unless its own head is elsewhere: so who stands
    nearer to the end of a line is settled first, for all behind move with it.
    """
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
    for id_ in sorted(gone, key=lambda id_: (len(_line(cluster, id_)), id_)):
        heir = into.get(published[id_]["head"])
        if heir and heir != _line(cluster, id_)[-1]:
            merged[id_] = published[id_]["into"] = heir
    return merged


def _line(cluster: Cluster, id_: str) -> list[str]:
    """This customer, and each that was told to have its history after it; the last has it."""
    line = [id_]
    while (into := cluster["published"][line[-1]].get("into")) is not None:
        line.append(into)
    return line


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
        changes.append(identity_change(cluster, "merged", heir, id_, pair, "", by, published["moves"]))
    return changes


def _stated(statement: Statement | None, cause: Cause) -> tuple[str, Cause]:
    if statement is None:
        return "", cause
    when, pair, _ = statement
    return pair, cause_of(when)
