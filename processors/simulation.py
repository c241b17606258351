"""Who would be one customer under some identity rules: a whole log at once, and nothing written. Pure.

    take every event -> Stated -> simulate(rules) -> Outcome; two of them -> compare -> Difference

It is the view of `rules/customers.py` over each connected set of identifiers. Where the workers would stop at a cluster
that is too large, it goes on and says so: which of its claims come too late depends on their arrival.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from processors.handle import new_cluster
from processors.identifiers import Identifiers, ends
from processors.rules.customers import customers
from processors.rules.links import statements, when_of
from schemas.event import BY_OPERATORS, EventBody
from schemas.identity import IdentityRules
from schemas.state import MAX_MEMBERS, Cluster

Statements = dict[str, list[Any]]
"""Pair, "greater lesser" -> when it was stated, as a Cluster has it."""


@dataclass(slots=True)
class Stated:
    """What a log says of its identifiers, whatever the rules: it grows with identifiers and pairs, not with events."""

    events: dict[str, int] = field(
        default_factory=dict
    )  # by primary identifier, as often as they are in the log
    links: Statements = field(default_factory=dict)
    said: Statements = field(default_factory=dict)


class Outcome(NamedTuple):
    """The customers of a log under some rules.

    `groups`: the customers of several identifiers, by the greatest, greatest first in each. `of`: identifier ->
    greatest of its group, for those that are connected with others. `refused`: pair -> why. `too_large`: greatest ->
    how many identifiers, of each connected set that the workers would not let grow so large.
    """

    customers: int
    groups: dict[str, list[str]]
    of: dict[str, str]
    refused: dict[str, str]
    crowded: frozenset[str]
    too_large: dict[str, int]


class Difference(NamedTuple):
    """What other rules would change: a greatest identifier -> those of the customers that it has now, or would have."""

    merged: dict[str, list[str]]
    parted: dict[str, list[str]]
    refused: dict[str, str]
    joined: frozenset[str]  # pairs that are refused no more


def take(stated: Stated, keys: list[str], event: EventBody) -> None:
    """Take an event of the log; its keys are greatest first. What a bot sent states nothing."""
    if event.get("bot"):
        return
    primary = keys[0]
    if event["type"] not in BY_OPERATORS:
        stated.events[primary] = stated.events.get(primary, 0) + 1
    if len(keys) == 1:
        return
    when = when_of(event)
    for pair, says in statements(keys, event):
        if says == "link":
            stated.links[pair] = min(when, stated.links.get(pair, when))
        else:
            stated.said[pair] = max([*when, says], stated.said.get(pair, []))


def simulate(stated: Stated, rules: IdentityRules) -> Outcome:
    """The customers under these rules."""
    identifiers = Identifiers(rules)
    crowded = identifiers.crowded(stated.links)
    links = {pair: when for pair, when in stated.links.items() if crowded.isdisjoint(ends(pair))}
    connecting = [*links, *(pair for pair, when in stated.said.items() if when[3] == "alias")]
    outcome = Outcome(0, {}, {}, {}, crowded, {})
    for cluster in _clusters(connecting, links, stated.said):
        _view(outcome, cluster, identifiers, stated)
    alone = sum(outcome.of.get(primary, primary) not in outcome.groups for primary in stated.events)
    return outcome._replace(customers=alone + len(outcome.groups))


def compare(stated: Stated, now: Outcome, then: Outcome) -> Difference:
    """What would change from one outcome to another of the same log."""
    return Difference(
        _several(stated, then, now),
        _several(stated, now, then),
        {pair: why for pair, why in then.refused.items() if pair not in now.refused},
        frozenset(pair for pair in now.refused if _is_one(then, pair)),
    )


def largest(stated: Stated, outcome: Outcome, most: int) -> list[tuple[str, list[str], int]]:
    """The customers of most identifiers: (greatest, all, events in the log)."""
    sized = [
        (head, group, sum(stated.events.get(member, 0) for member in group))
        for head, group in outcome.groups.items()
    ]
    return sorted(sized, key=lambda one: (-len(one[1]), -one[2], one[0]))[:most]


def contradictions(now: IdentityRules, then: IdentityRules) -> list[str]:
    """Why rules cannot follow others: keys stand in the log for ever, and must go on meaning what they mean."""
    known, found = {n.name: n for n in then.namespaces}, list[str]()
    for namespace in now.namespaces:
        other = known.get(namespace.name)
        if other is None:
            found.append(f"{namespace.name} is missing")
        elif (other.normalise, other.scoped) != (namespace.normalise, namespace.scoped):
            how = f"normalise: {namespace.normalise}, scoped: {str(namespace.scoped).lower()}"
            found.append(f"{namespace.name} must stay {how}")
    ranks = then.ranks()
    kept = [n.name for n in now.namespaces if n.name in ranks]
    found += [f"{a} must stay before {b}" for a, b in pairwise(kept) if ranks[a] > ranks[b]]
    return found


def _clusters(connecting: Iterable[str], links: Statements, said: Statements) -> list[Cluster]:
    """A cluster without facts for each connected set of identifiers."""
    root = _connected(connecting)
    members: dict[str, list[str]] = {}
    for key, top in root.items():
        members.setdefault(top, []).append(key)
    found: dict[str, Cluster] = {top: {**new_cluster(top), "members": mine} for top, mine in members.items()}
    for name, pairs in (("links", links), ("said", said)):
        for pair, when in pairs.items():
            a, b = ends(pair)
            if a in root and root[a] == root.get(b):
                found[root[a]][name][pair] = when  # type: ignore[literal-required]
    return list(found.values())


def _connected(pairs: Iterable[str]) -> dict[str, str]:
    """Identifier -> one that stands for all that are connected with it."""
    parent: dict[str, str] = {}

    def find(key: str) -> str:
        while (above := parent.setdefault(key, key)) != key:
            parent[key] = parent[above]
            key = above
        return key

    for pair in pairs:
        a, b = ends(pair)
        parent[find(a)] = find(b)
    return {key: find(key) for key in parent}


def _view(outcome: Outcome, cluster: Cluster, identifiers: Identifiers, stated: Stated) -> None:
    view = customers(cluster, identifiers)
    outcome.refused.update(view.refused)
    if len(cluster["members"]) > MAX_MEMBERS:
        outcome.too_large[identifiers.sorted(cluster["members"])[0]] = len(cluster["members"])
    for group in view.groups:
        outcome.of.update(dict.fromkeys(group, group[0]))
        if len(group) > 1 and any(member in stated.events for member in group):
            outcome.groups[group[0]] = group


def _several(stated: Stated, one: Outcome, other: Outcome) -> dict[str, list[str]]:
    """Customers of the one outcome who are several in the other."""
    found = {}
    for head, group in one.groups.items():
        heads = dict.fromkeys(other.of.get(member, member) for member in group)
        several = [each for each in heads if each in other.groups or each in stated.events]
        if len(several) > 1:
            found[head] = several
    return found


def _is_one(outcome: Outcome, pair: str) -> bool:
    a, b = (outcome.of.get(end, end) for end in ends(pair))
    return a == b
