"""What the answer to a claim rests on: events that, taken away, turn it.

They are found by taking events away and asking again, by the very evaluator of the fold.
"""

from collections.abc import Iterator

from processors.portrait.asking import Customer, LeafOf
from processors.portrait.claims import Claim
from processors.portrait.supports import Try, tries
from processors.portrait.told import Asked

Events = frozenset[int]
"""Places in the customer's history."""
MAX_SPARED = 50
"""Of no more events it is tried which of them need not go."""


class Resting:
    """The claims about one customer: whether they hold without some events, and what they rest on."""

    def __init__(self, of: Customer) -> None:
        self._of = of
        self._leaves: dict[Claim, LeafOf] = {}
        self._truths: dict[tuple[Claim, Events], bool] = {}
        self._supports: dict[tuple[Claim, Events], Events | None] = {}

    def leaf(self, claim: Claim) -> LeafOf:
        """The leaf that a claim is."""
        if claim not in self._leaves:
            assert claim.node is not None
            self._leaves[claim] = LeafOf(self._of, claim.node)
        return self._leaves[claim]

    def asked(self, leaf: LeafOf, events: Events) -> Asked:
        """Of whom a leaf is asked where only these events are there."""
        value, context = self._of.value, self._of.context
        sample = [self._of.history[number] for number in sorted(events)]
        return Asked(sample, leaf.subject(leaf.facts(events)), context, value.frequency if value else None)

    def holds(self, claim: Claim, gone: Events = frozenset()) -> bool:
        """Whether a claim holds without these events."""
        if claim.how == "leaf":
            gone &= self.leaf(claim).events
        known = self._truths.get((claim, gone))
        if known is None:
            known = self._truths[claim, gone] = self._asks(claim, gone)
        return known

    def support(self, claim: Claim, gone: Events = frozenset()) -> Events | None:
        """Events that, gone as well, turn the answer; None where there are none."""
        if (claim, gone) not in self._supports:
            self._supports[claim, gone] = self._find(claim, gone)
        return self._supports[claim, gone]

    def _asks(self, claim: Claim, gone: Events) -> bool:
        match claim.how:
            case "all":
                return all(self.holds(part, gone) for part in claim.parts)
            case "any":
                return any(self.holds(part, gone) for part in claim.parts)
            case "not":
                return not self.holds(claim.parts[0], gone)
        return self.leaf(claim).holds(gone)

    def _find(self, claim: Claim, gone: Events) -> Events | None:
        if claim.how == "leaf":
            return next(self._turning(claim, gone), None)
        if claim.how == "not":
            return self.support(claim.parts[0], gone)
        if self.holds(claim, gone) is (claim.how == "all"):  # any one part turns it
            found = [support for part in claim.parts if (support := self.support(part, gone)) is not None]
            return min(found, key=len, default=None)
        return self._together(claim, gone)

    def _together(self, claim: Claim, gone: Events) -> Events | None:
        """Every part must turn that is as the whole is; what goes for one may turn another back."""
        was, support = self.holds(claim, gone), Events()
        while True:
            part = next((part for part in claim.parts if self.holds(part, gone | support) is was), None)
            if part is None:
                return support or None
            more = self.support(part, gone | support)
            if more is None:
                return None
            support |= more

    def _turning(self, claim: Claim, gone: Events) -> Iterator[Events]:
        leaf, was = self.leaf(claim), self.holds(claim, gone)
        there = leaf.events - gone
        places = {id(self._of.history[number]): number for number in there}
        for tried in tries(leaf.node, was, self.asked(leaf, there)):
            order = [places[id(happened)] for happened in tried.events]
            taken = _taken(leaf, there, order, tried, was)
            if taken:
                yield taken if tried.whole else self._spare(claim, gone, taken, was)

    def _spare(self, claim: Claim, gone: Events, taken: Events, was: bool) -> Events:
        """Without those that need not go."""
        for number in sorted(taken) if len(taken) <= MAX_SPARED else ():
            if self.holds(claim, gone | (taken - {number})) is not was:
                taken -= {number}
        return taken


def _taken(leaf: LeafOf, there: Events, order: list[int], tried: Try, was: bool) -> Events:
    """All of these events, or as few of the first as turn the answer: they are put back from the last on."""
    few, facts = 0, leaf.facts(there.difference(order))
    for number in range(len(order), 0, -1):
        if leaf.test(leaf.subject(facts)) is not was:
            few = number
        if tried.whole:
            break
        facts.add(leaf.of.history[order[number - 1]])
    return frozenset(order[:few])
