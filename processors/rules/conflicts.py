"""Statements that are refused: two that are not one customer all the same, and two that would be too large together."""

from typing import Any

from processors.identifiers import ends
from processors.messages import Change
from processors.rules.customers import View
from processors.rules.identity_changes import Cause, identity_change, owners
from schemas.state import MAX_LINKS, Cluster

TOO_LARGE = "too_large"


def refuse(cluster: Cluster, pair: str, cause: Cause) -> list[Change]:
    """Note that two clusters are not united, for the two together would be too large; gives the conflict.

    Where neither identifier is a customer's yet, the conflict is published once one is.
    """
    known = cluster["refused"].setdefault(pair, [TOO_LARGE, 0])
    _bound(cluster)
    return _too_large(cluster, pair, known, owners(cluster), cause)


def conflicts(cluster: Cluster, view: View, now: dict[str, list[str]], cause: Cause) -> list[Change]:
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
            changes.append(identity_change(cluster, "conflict", sides[0], other, pair, why, cause, times))
    return changes


def _too_large(
    cluster: Cluster, pair: str, known: list[Any], owner: dict[str, str], cause: Cause
) -> list[Change]:
    mine = next((owner[end] for end in ends(pair) if end in owner), None)
    if mine is None or known != [TOO_LARGE, 0]:
        return []
    known[1] = 1
    return [identity_change(cluster, "conflict", mine, None, pair, TOO_LARGE, cause, 1)]


def _is_news(cluster: Cluster, pair: str, why: str) -> bool:
    """Whether a statement was not refused for this reason before; notes that it is."""
    known = cluster["refused"].setdefault(pair, ["", 0])
    if known[0] == why:
        return False
    known[:] = [why, known[1] + 1]
    _bound(cluster)
    return True


def _bound(cluster: Cluster) -> None:
    if len(cluster["refused"]) > MAX_LINKS:
        del cluster["refused"][max(cluster["refused"])]
