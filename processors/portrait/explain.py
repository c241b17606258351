"""Explains an answer: each node true or false, its value, the events that make it so, and when time would change it.

condition -> claims -> what each rests on -> Answer, a tree
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from processors.portrait.asking import Customer, LeafOf, World
from processors.portrait.claims import Claim, Claims, Named
from processors.portrait.history import Happened
from processors.portrait.measured import measured
from processors.portrait.resting import Resting
from processors.portrait.subject import Subject
from processors.portrait.whose import Whose
from schemas import conditions as c
from schemas.labels import Stage


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


class Explainer:
    """Explains answers about one customer, who did these events, at a logical time `now`, Unix ms.

    What operators stated is among the events; `whose` tells which identifiers are the customer's, as the fold has it.
    """

    def __init__(
        self, world: World, events: Iterable[Happened], now: int, whose: Whose | None = None
    ) -> None:
        self._of = Customer(world, events, now, whose)
        self._resting = Resting(self._of)
        self._answers: dict[Claim, Answer] = {}

    def explain(self, condition: c.Condition) -> Answer:
        """The answer to a condition, with all that it is made of; of a label, its definition's."""
        return self._answer(self._claims.of(condition))

    def stage(self) -> Stage | None:
        """The stage under the lifecycle in force; None where there is none."""
        return cast("Stage | None", self._first(self._claims.stages()))

    def tag(self, name: str) -> str | None:
        """The value of a tag; None where it has none."""
        return self._first(self._claims.values(name))

    def tier(self) -> str | None:
        """The tier of value; None where there is none."""
        who, scoring = self._scored, self._of.scoring
        return scoring.tier(who.scores) if scoring and who.scores else None

    @cached_property
    def _scored(self) -> Subject:
        leaf = LeafOf(self._of, c.Tier(tier=("any",)))
        return leaf.subject(leaf.facts(leaf.events))

    @cached_property
    def _claims(self) -> Claims:
        return Claims(self._of.world.definitions, self._scored.scores)

    def _first(self, named: Named) -> str | None:
        for value, when in named:
            if when is None or self._resting.holds(self._claims.of(when)):
                return value
        return None

    def _answer(self, claim: Claim) -> Answer:
        """The same one for the same claim."""
        if claim not in self._answers:
            support = self._resting.support(claim) or ()
            self._answers[claim] = Answer(
                claim.operator, claim.says, self._resting.holds(claim), self._value(claim),
                tuple(self._of.history[number].name for number in sorted(support)),
                self._changes_at(claim), tuple(map(self._answer, claim.parts)),
            )  # fmt: skip
        return self._answers[claim]

    def _value(self, claim: Claim) -> Any:
        """What a leaf found; of a stage, a tag or a tier, which it is."""
        if claim.node is not None:
            leaf = self._resting.leaf(claim)
            return measured(claim.node, self._resting.asked(leaf, leaf.events), self._of.scoring)
        if claim.operator == "stage":
            return self.stage()
        return self.tag(claim.label) if claim.operator == "tag" else None

    def _changes_at(self, claim: Claim) -> int | None:
        turns = sorted({at for leaf in self._under(claim) for at, _ in leaf.turns[1:]})
        now = self._resting.holds(claim)
        return next((at for at in turns if self._at(claim, at) is not now), None)

    def _under(self, claim: Claim) -> Iterator[LeafOf]:
        seen, todo = set[Claim](), [claim]
        while todo:
            one = todo.pop()
            if one.how == "leaf":
                yield self._resting.leaf(one)
            elif one not in seen:
                seen.add(one)
                todo += one.parts

    def _at(self, claim: Claim, at: int) -> bool:
        """Whether a claim will hold at a time, with nothing happening."""
        match claim.how:
            case "all":
                return all(self._at(part, at) for part in claim.parts)
            case "any":
                return any(self._at(part, at) for part in claim.parts)
            case "not":
                return not self._at(claim.parts[0], at)
        turns = self._resting.leaf(claim).turns
        return next(holds for since, holds in reversed(turns) if since <= at)
