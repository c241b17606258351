"""Which definitions an event can touch: by what their conditions ask of facts and of leaves.

What only ever grows (a name seen, a count, a channel) touches a condition until it holds; who breaks a silence touches
what asks for one only while some silence holds.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from processors.portrait.compiled import Context
from schemas import conditions as c
from schemas.event import EventBody
from schemas.facts import MAX_TRAITS, Part
from schemas.leaves import LeafStates
from schemas.remembered import leaves_of, nodes_of
from schemas.semantics import NOT_OWN

ALWAYS = 2**62
ORDERS = ("Order Completed", "Order Cancelled", "Order Refunded")
CONTRACTS = ("Contract Signed", "Contract Renewed")
Ids = frozenset[str]
UpTo = tuple[tuple[str, int], ...]
"""Ids, each with the count up to which one more of it can change something."""


class Index(NamedTuple):
    """Ids of definitions by what touches them."""

    names: Mapping[str, UpTo]
    channels: Mapping[str, UpTo]
    traits: Mapping[str, Ids]
    leaves: Mapping[str, Ids]  # by their keys
    named: Ids  # that ask for any name
    stated: Ids  # for any trait
    identified: Ids  # for identifiers
    silent: Ids  # for a silence
    first: Ids  # for the first thing of the customer's own doing


Before = tuple[int | None, bool, int]
"""What an event may be news to: the first thing of the customer's own doing, its name, how many namespaces."""
NOTHING: Collection[str] = frozenset[str]()


def before(part: Part, name: str) -> Before:
    """A part before an event of this name is folded into it."""
    return part["own_first"], name in part["names"], len(part["identifiers"])


def touched(
    index: Index, was: Before, part: Part, event: EventBody, states: LeafStates, aged: bool, several: bool
) -> Collection[str]:
    """The definitions whose answer an event may have changed that was folded into the part.

    `aged`: some silence holds. `several`: the customer has other parts, whose names may push out some of this one.
    """
    name, (own_first, named, namespaces) = event["name"], was
    if (
        named
        and not (
            aged or states or name in index.names or index.channels or (index.stated and event["traits"])
        )
        and part["own_first"] == own_first
        and len(part["identifiers"]) == namespaces
    ):
        return NOTHING  # as most events
    found = set[str]()
    counted = part["names"].get(name)
    if counted is not None:
        _up_to(found, index.names.get(name, ()), counted[0])
        if not named and (several or part["other_names"]):
            found |= index.named
    if index.channels:
        _up_to(found, index.channels.get(event["channel"], ()), part["channels"][event["channel"]])
    if index.stated and event["traits"]:
        found |= _stated(index, part, event, several)
    if len(part["identifiers"]) > namespaces:
        found |= index.identified
    if part["own_first"] != own_first:
        found |= index.silent | index.first
    elif aged and name not in NOT_OWN:
        found |= index.silent
    for key in states:
        found |= index.leaves.get(key, frozenset())
    return found


def _stated(index: Index, part: Part, event: EventBody, several: bool) -> Ids:
    if several or len(part["traits"]) >= MAX_TRAITS:  # one trait may push out another
        return index.stated
    return frozenset().union(*(index.traits.get(trait, ()) for trait in event["traits"]))


def _up_to(found: set[str], ids: UpTo, count: int) -> None:
    for id_, most in ids:
        if count <= most:
            found.add(id_)


class Builder:
    """Gathers an index."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._names: dict[str, dict[str, int]] = {}
        self._channels: dict[str, dict[str, int]] = {}
        self._traits: dict[str, set[str]] = {}
        self._leaves: dict[str, set[str]] = {}
        self._identified, self._silent, self._first = set[str](), set[str](), set[str]()

    def condition(self, id_: str, condition: c.Condition) -> None:
        """Note what touches a condition of a definition."""
        for node in nodes_of(condition):
            for leaf in leaves_of(node):
                self._leaves.setdefault(self._context.key_of(leaf), set()).add(id_)
            self._node(id_, node)

    def value(self, id_: str, frequency: c.DidOf) -> None:
        """Note what touches a value."""
        self.condition(id_, c.Did(did=frequency))
        self._name(id_, ORDERS)
        self._first.add(id_)

    def build(self) -> Index:
        """The index."""
        names, channels = _sorted(self._names), _sorted(self._channels)
        traits = {name: frozenset(ids) for name, ids in self._traits.items()}
        leaves = {key: frozenset(ids) for key, ids in self._leaves.items()}
        named = frozenset(id_ for ids in names.values() for id_, _ in ids)
        stated = frozenset(id_ for ids in traits.values() for id_ in ids)
        rest = (frozenset(ids) for ids in (self._identified, self._silent, self._first))
        return Index(names, channels, traits, leaves, named, stated, *rest)

    def _node(self, id_: str, node: c.Condition) -> None:
        match node:
            case c.Did() if not isinstance(node.did, c.DidOf):
                self._name(id_, node.did, 1)
            case c.Count():
                self._count(id_, node.count)
            case c.Since():
                self._since(id_, node.since)
            case c.Trait():
                self._traits.setdefault(node.trait.name, set()).add(id_)
            case c.Age():
                self._traits.setdefault(node.age.trait, set()).add(id_)
            case c.Identified():
                self._identified.add(id_)
            case c.OnChannel():
                _note(self._channels, id_, node.channel.of, node.channel.at_least)
            case c.Revenue():
                self._name(id_, ORDERS)

    def _count(self, id_: str, of: c.CountOf) -> None:
        if isinstance(of.of, str):
            self._name(id_, ORDERS if of.of == "purchases" else CONTRACTS)
        else:
            self._name(id_, of.of, of.at_least)

    def _since(self, id_: str, of: c.SinceLast) -> None:
        if of.last == "own":
            self._silent.add(id_)
        else:
            self._name(id_, CONTRACTS if of.last == "contract_end" else of.last)

    def _name(self, id_: str, names: Iterable[str], most: int = ALWAYS) -> None:
        _note(self._names, id_, names, most)


def _note(by: dict[str, dict[str, int]], id_: str, names: Iterable[str], most: int) -> None:
    for name in names:
        ids = by.setdefault(name, {})
        ids[id_] = max(most, ids.get(id_, 0))


def _sorted(by: dict[str, dict[str, int]]) -> dict[str, UpTo]:
    return {name: tuple(sorted(ids.items())) for name, ids in by.items()}
