"""Asks leaves of one customer, with any of the customer's events left out, and in the future."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from processors.calendar import Calendar
from processors.portrait.compile import compile_condition
from processors.portrait.compiled import Compiled, Context, never
from processors.portrait.deltas import leaf_index
from processors.portrait.history import Facts, Happened, History, history_of
from processors.portrait.relevant import Relevant, relevant
from processors.portrait.scoring import Scoring, scoring_of
from processors.portrait.subject import Subject
from processors.portrait.whose import Whose, identifiers_by
from schemas import conditions as c
from schemas.facts import MAX_NAMES, MAX_TRAITS, Part
from schemas.graph import Defined
from schemas.portrait import Thresholds, Value
from schemas.remembered import leaves_of

MAX_TURNS = 1_000
"""Times that a leaf's answer is looked for in the future."""


class World(NamedTuple):
    """What is the same for all customers: the definitions in force, and what they are asked under."""

    calendar: Calendar
    currency: str
    definitions: tuple[Defined, ...] = ()
    rates: Mapping[str, Decimal] = {}
    thresholds: Thresholds | None = None


class Customer:
    """Somebody who did these events, at a logical time `now`, Unix ms.

    `whose`: whose identifiers they are; where that is not told, all that the events state are the customer's own.
    """

    def __init__(
        self, world: World, events: Iterable[Happened], now: int, whose: Whose | None = None
    ) -> None:
        self.world, self.now, self.whose = world, now, whose
        self.history: History = history_of(events)
        self.context = Context(world.calendar, {})
        self.value = next((each for each in world.definitions if isinstance(each, Value)), None)
        self.scoring = self._scoring()
        own = [h.event for h in self.history if not h.by_operator]
        names = {event["name"] for event in own}
        traits = {trait for event in own for trait in event["traits"]}
        self._crowded = len(names) > MAX_NAMES or len(traits) > MAX_TRAITS

    def subject(self, part: Part, at: int, *, scored: bool) -> Subject:
        """Somebody of these facts at a time; with scores where they are asked for."""
        world = self.world
        today = world.calendar.day_of(at)
        who = Subject(part, at, today, world.calendar, world.currency, world.rates)
        if scored and self.scoring and self.value:
            who.scores = self.scoring.scores(who)
            if who.scores is not None:
                who.labels[f"value/{self.value.name}"] = self.scoring.tier(who.scores)
        return who

    def concerning(self, node: c.Condition) -> frozenset[int]:
        """The events that can matter to a leaf, by their place in the history."""
        if self.whose is not None and isinstance(node, c.Identified):
            return frozenset(range(len(self.history)))
        matters: Relevant = (lambda _: True) if self._crowded else relevant(node)
        mine = ((n, h) for n, h in enumerate(self.history) if not h.by_operator)
        return frozenset(n for n, happened in mine if matters(happened.event))

    def _scoring(self) -> Scoring | None:
        if self.value is None:
            return None
        reached = self.world.thresholds
        mine = reached if reached is not None and reached.name == self.value.name else None
        return scoring_of(self.value, mine, self.context)


class LeafOf:
    """A leaf, compiled, asked of a customer. `events`: those that can matter to it, by their place in the history."""

    def __init__(self, of: Customer, node: c.Condition) -> None:
        self.of, self.node = of, node
        self._scored = isinstance(node, c.Tier | c.Score)
        needs = leaves_of(node)
        if self._scored and of.value is not None:
            needs = leaves_of(c.Did(did=of.value.frequency))
        self._index = leaf_index([(leaf, of.context.key_of(leaf)) for leaf in needs], of.context.calendar)
        compiled = compile_condition(node, of.context)
        later = of.scoring.next_change if self._scored and of.scoring else compiled.next_change
        self._compiled = Compiled(compiled.test, later)
        self.events = of.concerning(node)

    def facts(self, events: Iterable[int]) -> Facts:
        """The facts that these events make for it."""
        facts = Facts(self.of.world.calendar, self._index)
        for number in sorted(events):
            facts.add(self.of.history[number])
        return facts

    def subject(self, facts: Facts, at: int | None = None) -> Subject:
        """Somebody of these facts, now or at another time."""
        who = self.of.subject(facts.whole(), self.of.now if at is None else at, scored=self._scored)
        if isinstance(self.node, c.Identified) and self.of.whose is not None:
            who.members = identifiers_by(facts.events, self.of.whose) | self._given
        return who

    @cached_property
    def _given(self) -> frozenset[str]:
        """Identifiers that the customer has by no event of its own: what others state is not in its history."""
        assert self.of.whose is not None
        mine = (self.of.history[number] for number in self.events)
        return frozenset(self.of.whose.members) - identifiers_by(mine, self.of.whose)

    def test(self, who: Subject) -> bool:
        """Its answer; what fails on a customer's data counts as false, as in the fold."""
        try:
            return self._compiled.test(who)
        except Exception:  # noqa: BLE001 -- whatever it is: a definition stops nothing
            return False

    def holds(self, gone: frozenset[int]) -> bool:
        """Its answer without these events."""
        return self.test(self.subject(self.facts(self.events - gone)))

    @cached_property
    def turns(self) -> list[tuple[int, bool]]:
        """From when on its answer is which, with nothing happening; the first is now."""
        facts, at = self.facts(self.events), self.of.now
        found = [(at, self.test(self.subject(facts, at)))]
        change: Callable[[Subject], int | None] = self._compiled.next_change
        for _ in range(MAX_TURNS if change is not never else 0):
            due = change(self.subject(facts, at))
            if due is None:
                break
            at, holds = due, self.test(self.subject(facts, due))
            if holds != found[-1][1]:
                found.append((at, holds))
        return found
