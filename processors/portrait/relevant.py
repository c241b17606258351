"""Which events can matter to a leaf of a condition."""

from collections.abc import Callable

from processors.portrait.index import CONTRACTS, ORDERS
from schemas import conditions as c
from schemas.event import EventBody
from schemas.remembered import leaves_of
from schemas.semantics import NOT_OWN

Relevant = Callable[[EventBody], bool]


def relevant(node: c.Condition) -> Relevant:
    """Whether an event can matter to this node: any other could be missing, and its answer were the same.

    Where names or traits are more than are kept, all of them matter to each other: then ask of all events.
    """
    match node:
        case c.Since() if node.since.last == "own":
            return lambda event: event["name"] not in NOT_OWN
        case c.Trait() | c.Age():
            return lambda event: bool(event["traits"])
        case c.Identified():
            return lambda event: bool(event["identifiers"])
        case c.OnChannel():
            channels = frozenset(node.channel.of)
            return lambda event: event["channel"] in channels
    names = _names(node)
    return (lambda event: event["name"] in names) if names else lambda _: True


def _names(node: c.Condition) -> frozenset[str]:
    """The names of the events that are asked for; none where any may matter."""
    of: tuple[str, ...] | str = tuple(name for leaf in leaves_of(node) for name in leaf.events)
    match node:
        case c.Did() if isinstance(node.did, tuple):
            of = node.did
        case c.Count():
            of = node.count.of
        case c.Since():
            of = node.since.last
        case c.Revenue():
            of = ORDERS
    if isinstance(of, str):
        of = ORDERS if of == "purchases" else CONTRACTS
    return frozenset(of)
