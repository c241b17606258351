"""Customers are a view of a cluster: which of its identifiers are one person.

Union-find over what was stated, in the order of (occurred_at, message_id, source), so that the outcome depends on what
was stated and when, never on what arrived first. A statement joins two groups unless they were said to be two, or both
hold a value of a unique namespace (an alias may join them all the same), or its lesser identifier is shared and already
joined elsewhere. Links of crowded identifiers do not count.
"""

from typing import Any, NamedTuple

from processors.identifiers import Identifiers, ends
from schemas.facts import Part, union
from schemas.state import Cluster

Statement = tuple[list[Any], str, bool]
"""[occurred_at, message_id, source], the pair, and whether it is an alias."""


class View(NamedTuple):
    """The groups, greatest identifier first in each.

    `lost`: an identifier that came under a greater one -> the statement that brought it there. `refused`: pair
    -> why; a pair that another statement joined after all is not refused.
    """

    groups: list[list[str]]
    lost: dict[str, Statement]
    refused: dict[str, str]


class _Group:
    """Identifiers that are one person so far."""

    __slots__ = ("head", "members", "unique")

    def __init__(self, key: str, identifiers: Identifiers) -> None:
        namespace = identifiers.unique_namespace(key)
        self.head, self.members = key, {key}
        self.unique = {namespace} if namespace else set[str]()


def customers(cluster: Cluster, identifiers: Identifiers) -> View:
    """The customers of a cluster under these rules."""
    members, links, said = cluster["members"], cluster["links"], cluster["said"]
    if len(members) == 1:
        return View([members], {}, {})
    of = {key: _Group(key, identifiers) for key in members}
    parted = [ends(pair) for pair, stated in said.items() if stated[3] == "split"]
    lost, refused, taken = dict[str, Statement](), dict[str, str](), set[str]()
    for statement in _in_order(links, said, identifiers):
        _, pair, alias = statement
        a, b = ends(pair)
        one, two = of.get(a), of.get(b)
        if one is None or two is None or one is two:
            continue
        why = "shared" if identifiers.is_shared(b) and b in taken else _why_not(one, two, parted, alias)
        if why:
            refused[pair] = why
            continue
        taken.add(b)
        if identifiers.greater(two.head, one.head):
            one, two = two, one
        lost[two.head] = statement
        one.members |= two.members
        one.unique |= two.unique
        of.update(dict.fromkeys(two.members, one))
    groups = {id(group): group for group in of.values()}
    apart = {pair: why for pair, why in refused.items() if len({id(of[end]) for end in ends(pair)}) > 1}
    return View([identifiers.sorted(group.members) for group in groups.values()], lost, apart)


def _in_order(
    links: dict[str, list[Any]], said: dict[str, list[Any]], identifiers: Identifiers
) -> list[Statement]:
    crowded = identifiers.crowded(links)
    stated = [(when, pair, False) for pair, when in links.items() if crowded.isdisjoint(ends(pair))]
    stated += [(when[:3], pair, True) for pair, when in said.items() if when[3] == "alias"]
    return sorted(stated)


def _why_not(one: _Group, two: _Group, parted: list[tuple[str, str]], alias: bool) -> str:
    """Why two groups are not one person; nothing where they are."""
    for a, b in parted:
        if (a in one.members and b in two.members) or (a in two.members and b in one.members):
            return "split"
    if not alias and not one.unique.isdisjoint(two.unique):
        return "unique"
    return ""


def facts_of(cluster: Cluster, members: list[str]) -> Part | None:
    """The facts of one customer: the union of its parts; None where none of its identifiers had an event."""
    parts = cluster["parts"]
    if len(members) == 1:
        return parts.get(members[0])
    mine = [parts[member] for member in members if member in parts]
    return union(mine) if mine else None
