"""Explains an answer: each node true or false, its value, the events that make it so, and when time would change it.

    condition -> claims -> what each rests on -> Answer, a tree

What an answer rests on is found by taking events away and asking again, by the very evaluator of the fold: taking the
named events away turns the answer, of each node that names any.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

from processors.calendar import Calendar
from processors.portrait.claims import Claim, Claims
from processors.portrait.compile import compile_condition
from processors.portrait.compiled import Compiled, Context, never
from processors.portrait.deltas import LeafIndex, leaf_index
from processors.portrait.history import Facts, Happened, History, history_of
from processors.portrait.measured import measured
from processors.portrait.relevant import relevant
from processors.portrait.scoring import Scoring, scoring_of
from processors.portrait.subject import Subject
from processors.portrait.supports import Asked, Try, tries
from schemas import conditions as c
from schemas.facts import MAX_NAMES, MAX_TRAITS, Part
from schemas.graph import Defined
from schemas.portrait import Thresholds, Value
from schemas.remembered import leaves_of

MAX_TURNS = 1_000
"""Times that a leaf's answer is looked for in the future."""
MAX_SPARED = 50
"""Of no more events it is tried which of them can be left out."""


class World(NamedTuple):
    """What is the same for all customers: the definitions in force, and what they are asked under."""

    calendar: Calendar
    currency: str
    definitions: tuple[Defined, ...] = ()
    rates: Mapping[str, Decimal] = {}
    thresholds: Thresholds | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One node.

    `events`: source/message_id of those that, taken away, turn the answer; none where it rests on what did not happen.
    `changes_at`: Unix ms of the next instant at which time alone turns it; None where it never does.
    """

    operator: str
    says: str
    holds: bool
    value: Any
    events: tuple[str, ...]
    changes_at: int | None
    parts: tuple["Answer", ...]


class _Leaf:
    """A leaf, compiled, and the events that can matter to it."""

    def __init__(self, explainer: "Explainer", node: c.Condition) -> None:
        self.node, self.on = node, explainer
        needs = leaves_of(node)
        self.scored = isinstance(node, c.Tier | c.Score)
        if self.scored and explainer.value is not None:
            needs = leaves_of(c.Did(did=explainer.value.frequency))
        context = explainer.context
        self.index: LeafIndex = leaf_index([(leaf, context.key_of(leaf)) for leaf in needs], context.calendar)
        compiled = compile_condition(node, context)
        later = explainer.scoring.next_change if self.scored and explainer.scoring else compiled.next_change
        self.compiled = Compiled(compiled.test, later)
        matters = explainer.crowded or relevant(node)
        self.events = frozenset(n for n, h in enumerate(explainer.history) if matters(h.event))

    def facts(self, events: Iterable[int]) -> Facts:
        facts = Facts(self.on.world.calendar, self.index)
        for number in sorted(events):
            facts.add(self.on.history[number])
        return facts

    def subject(self, part: Part, at: int) -> Subject:
        return self.on.subject(part, at, scored=self.scored)

    def test(self, who: Subject) -> bool:
        """What fails on a customer's data counts as false, as in the fold."""
        try:
            return self.compiled.test(who)
        except Exception:  # noqa: BLE001 -- whatever it is: a definition stops nothing
            return False

    @cached_property
    def turns(self) -> list[tuple[int, bool]]:
        """From when on the answer is which, with nothing happening; the first is now."""
        part, at = self.facts(self.events).whole(), self.on.now
        found = [(at, self.test(self.subject(part, at)))]
        for _ in range(MAX_TURNS if self.compiled.next_change is not never else 0):
            due = self.compiled.next_change(self.subject(part, at))
            if due is None:
                break
            at = due
            holds = self.test(self.subject(part, at))
            if holds != found[-1][1]:
                found.append((at, holds))
        return found


class Explainer:
    """Explains answers about one customer, who did these events, at a logical time `now`, Unix ms."""

    def __init__(self, world: World, events: Iterable[Happened], now: int) -> None:
        self.world, self.now = world, now
        self.history: History = history_of(events)
        self.context = Context(world.calendar, {})
        values = [each for each in world.definitions if isinstance(each, Value)]
        self.value = values[0] if values else None
        self.scoring = self._scoring()
        names = {h.event["name"] for h in self.history}
        traits = {trait for h in self.history for trait in h.event["traits"]}
        crowded = len(names) > MAX_NAMES or len(traits) > MAX_TRAITS
        self.crowded = (lambda _: True) if crowded else None
        self._leaves: dict[Claim, _Leaf] = {}
        self._truths: dict[tuple[Claim, frozenset[int]], bool] = {}
        self._supports: dict[tuple[Claim, frozenset[int]], frozenset[int] | None] = {}
        self._answers: dict[Claim, Answer] = {}

    @cached_property
    def claims(self) -> Claims:
        """Makes claims under the definitions in force."""
        leaf = _Leaf(self, c.Tier(tier=("any",)))
        scores = leaf.subject(leaf.facts(leaf.events).whole(), self.now).scores
        return Claims(self.world.definitions, scores)

    def explain(self, condition: c.Condition) -> Answer:
        """The answer to a condition, with all that it is made of."""
        return self.answer(self.claims.of(condition))

    def answer(self, claim: Claim) -> Answer:
        """The answer to a claim; the same one for the same claim."""
        if claim not in self._answers:
            support = self._support(claim, frozenset()) or frozenset()
            value = None
            if claim.node is not None:
                leaf = self._leaf(claim)
                value = measured(claim.node, self._asked(leaf, leaf.events), self.scoring)
            self._answers[claim] = Answer(
                claim.operator, claim.says, self.holds(claim), value,
                tuple(self.history[number].name for number in sorted(support)),
                self._changes_at(claim),
                tuple(map(self.answer, claim.parts)),
            )  # fmt: skip
        return self._answers[claim]

    def holds(self, claim: Claim, gone: frozenset[int] = frozenset()) -> bool:
        """Whether a claim holds without these events."""
        if claim.how == "leaf":
            gone &= self._leaf(claim).events
        known = self._truths.get((claim, gone))
        if known is None:
            known = self._truths[claim, gone] = self._asks(claim, gone)
        return known

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

    def _scoring(self) -> Scoring | None:
        value, reached = self.value, self.world.thresholds
        if value is None:
            return None
        return scoring_of(value, reached if reached and reached.name == value.name else None, self.context)

    def _asks(self, claim: Claim, gone: frozenset[int]) -> bool:
        match claim.how:
            case "all":
                return all(self.holds(part, gone) for part in claim.parts)
            case "any":
                return any(self.holds(part, gone) for part in claim.parts)
            case "not":
                return not self.holds(claim.parts[0], gone)
        leaf = self._leaf(claim)
        return leaf.test(leaf.subject(leaf.facts(leaf.events - gone).whole(), self.now))

    def _leaf(self, claim: Claim) -> _Leaf:
        if claim not in self._leaves:
            assert claim.node is not None
            self._leaves[claim] = _Leaf(self, claim.node)
        return self._leaves[claim]

    def _asked(self, leaf: _Leaf, events: frozenset[int]) -> Asked:
        who = leaf.subject(leaf.facts(events).whole(), self.now)
        frequency = self.value.frequency if self.value else None
        return Asked([self.history[n] for n in sorted(events)], who, self.context, frequency)

    def _support(self, claim: Claim, gone: frozenset[int]) -> frozenset[int] | None:
        """Events that, gone as well, turn the claim's answer; None where there are none."""
        if (claim, gone) not in self._supports:
            self._supports[claim, gone] = self._find_support(claim, gone)
        return self._supports[claim, gone]

    def _find_support(self, claim: Claim, gone: frozenset[int]) -> frozenset[int] | None:
        if claim.how == "leaf":
            return self._leaf_support(claim, gone)
        if claim.how == "not":
            return self._support(claim.parts[0], gone)
        if self.holds(claim, gone) is (claim.how == "all"):  # any one part turns it
            found = [s for part in claim.parts if (s := self._support(part, gone)) is not None]
            return min(found, key=len, default=None)
        return self._together(claim, gone)

    def _together(self, claim: Claim, gone: frozenset[int]) -> frozenset[int] | None:
        """Each part must turn that is as the whole is; what goes for one may turn another back."""
        was, support = self.holds(claim, gone), frozenset[int]()
        while True:
            part = next((part for part in claim.parts if self.holds(part, gone | support) is was), None)
            if part is None:
                return support or None
            more = self._support(part, gone | support)
            if more is None:
                return None
            support |= more

    def _leaf_support(self, claim: Claim, gone: frozenset[int]) -> frozenset[int] | None:
        leaf, was = self._leaf(claim), self.holds(claim, gone)
        asked = self._asked(leaf, leaf.events - gone)
        numbers = {id(self.history[n]): n for n in leaf.events}
        for tried in tries(leaf.node, was, asked):
            order = [numbers[id(happened)] for happened in tried.events]
            found = self._taken(claim, gone, order, tried, was)
            if found:
                return found if tried.whole else self._spare(claim, gone, found, was)
        return None

    def _taken(
        self, claim: Claim, gone: frozenset[int], order: list[int], tried: Try, was: bool
    ) -> frozenset[int] | None:
        """All of these events, or as few of the first as turn the answer: they are put back from the last on."""
        leaf, few = self._leaf(claim), 0
        facts = leaf.facts(leaf.events - gone - frozenset(order))
        for number in range(len(order), 0, -1):
            if leaf.test(leaf.subject(facts.whole(), self.now)) is not was:
                few = number
            if tried.whole:
                break
            facts.add(self.history[order[number - 1]])
        return frozenset(order[:few]) or None

    def _spare(self, claim: Claim, gone: frozenset[int], found: frozenset[int], was: bool) -> frozenset[int]:
        """Without those that need not go."""
        for number in sorted(found) if len(found) <= MAX_SPARED else ():
            if self.holds(claim, gone | (found - {number})) is not was:
                found -= {number}
        return found

    def _changes_at(self, claim: Claim) -> int | None:
        turns = sorted({at for leaf in self._under(claim) for at, _ in leaf.turns[1:]})
        now = self.holds(claim)
        return next((at for at in turns if self._at(claim, at) is not now), None)

    def _under(self, claim: Claim) -> Iterable[_Leaf]:
        seen, todo = set[Claim](), [claim]
        while todo:
            one = todo.pop()
            if one.how == "leaf":
                yield self._leaf(one)
            elif one not in seen:
                seen.add(one)
                todo += one.parts

    def _at(self, claim: Claim, at: int) -> bool:
        match claim.how:
            case "all":
                return all(self._at(part, at) for part in claim.parts)
            case "any":
                return any(self._at(part, at) for part in claim.parts)
            case "not":
                return not self._at(claim.parts[0], at)
        return next(holds for since, holds in reversed(self._leaf(claim).turns) if since <= at)
