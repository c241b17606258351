"""Which identifiers a customer has by some of its events: those that are one person with its greatest.

By the view of customers itself (`rules/customers.py`), over what these events state of the customer's identifiers.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from processors.handle import new_cluster
from processors.identifiers import Identifiers, ends
from processors.portrait.history import Happened
from processors.rules.customers import customers
from processors.rules.links import join, statements, when_of


class Whose(NamedTuple):
    """The keys of a customer's identifiers, the greatest first, and the rules by which they are one customer's."""

    members: Sequence[str]
    identifiers: Identifiers


def identifiers_by(events: Iterable[Happened], whose: Whose) -> frozenset[str]:
    """Those of the customer's identifiers that it would have by these events alone."""
    own, head = frozenset(whose.members), whose.members[0]
    cluster, named = new_cluster(head), set[str]()
    for keys, event in events:
        named.update(own.intersection(keys))
        when = when_of(event)
        stated = [(pair, says) for pair, says in statements(keys, event) if own.issuperset(ends(pair))]
        join(
            cluster,
            {pair: when for pair, says in stated if says == "link"},
            {pair: [*when, says] for pair, says in stated if says != "link"},
        )
    cluster["members"] = whose.identifiers.sorted(named)
    groups = customers(cluster, whose.identifiers).groups if named else []
    return frozenset(next((group for group in groups if head in group), ()))


def joins(happened: Happened, some: frozenset[str], own: frozenset[str]) -> bool:
    """Whether an event states that one of some identifiers is the same customer's as one of its others."""
    keys, event = happened
    return any(
        says != "split" and own.issuperset(ends(pair)) and len(some.intersection(ends(pair))) == 1
        for pair, says in statements(keys, event)
    )
