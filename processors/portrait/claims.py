"""A condition as the claims that it is made of: what it says of other definitions unfolds into these.

A claim is a leaf, that is asked of facts, or all, any or not of its parts. Each stage claims that those above it do not
hold; so does each value of a tag.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from processors.portrait.saying import says
from processors.portrait.subject import Scores
from schemas import conditions as c
from schemas.graph import Defined
from schemas.lifecycle import Lifecycle
from schemas.portrait import Role, Segment, TagRules

D = TypeVar("D", Lifecycle, TagRules, Segment, Role)
Named = Sequence[tuple[str, c.Condition | None]]
"""Values from the top, and when each holds: always, where there is no condition."""


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """One node. `node`: the condition that a leaf asks; a leaf's parts only tell more of it. `label`: a tag's name."""

    operator: str
    says: str
    how: Literal["leaf", "all", "any", "not"]
    parts: tuple["Claim", ...] = ()
    node: c.Condition | None = None
    label: str = ""


class Claims:
    """Makes claims of conditions under these definitions; `scores` are the customer's."""

    def __init__(self, definitions: Iterable[Defined], scores: Scores | None) -> None:
        self._definitions, self._scores = tuple(definitions), scores
        self._known: dict[str, Claim] = {}

    def of(self, node: c.Condition) -> Claim:
        """The claim of a condition; the same one for the same label of another definition."""
        match node:
            case c.All():
                return Claim("all", says(node), "all", tuple(map(self.of, node.all)))
            case c.Any_():
                return Claim("any", says(node), "any", tuple(map(self.of, node.any)))
            case c.Not():
                return Claim("not", says(node), "not", (self.of(node.not_),))
            case c.InStage() | c.InSegment() | c.HasRole() | c.Tagged() | c.Tier():
                key = f"{c.operator_of(node)} {node.model_dump_json()}"
                if key not in self._known:
                    self._known[key] = self._label(node)
                return self._known[key]
        return Claim(c.operator_of(node), says(node), "leaf", node=node)

    def stages(self) -> Named:
        """The stages from the top; none where there is no lifecycle."""
        return [(rule.stage, rule.when) for d in self._of(Lifecycle) for rule in d.stages]

    def values(self, tag: str) -> Named:
        """The values of a tag from the top; none where there is no such tag."""
        return [(each.value, each.when) for d in self._of(TagRules, tag) for each in d.values]

    def _of(self, kind: type[D], name: str = "") -> list[D]:
        return [d for d in self._definitions if isinstance(d, kind) and name in ("", d.name)]

    def _label(self, node: c.InStage | c.InSegment | c.HasRole | c.Tagged | c.Tier) -> Claim:
        operator, words = c.operator_of(node), says(node)
        match node:
            case c.Tier():
                return Claim(operator, words, "leaf", self._scored(), node)
            case c.InStage():
                return self._one_of(operator, words, "", self.stages(), node.stage)
            case c.Tagged():
                values = self.values(node.tag.name)
                wanted = node.tag.is_ or [value for value, _ in values]
                return self._one_of(operator, words, node.tag.name, values, wanted)
            case c.InSegment():
                found: list[Segment] | list[Role] = self._of(Segment, node.segment)
            case c.HasRole():
                found = self._of(Role, node.role)
        return Claim(operator, words, "any", tuple(self.of(d.when) for d in found))

    def _one_of(self, operator: str, words: str, label: str, named: Named, wanted: Sequence[str]) -> Claim:
        claims = [
            self._first(operator, label, named[: place + 1])
            for place, (value, _) in enumerate(named)
            if value in wanted
        ]
        return claims[0] if len(claims) == 1 else Claim(operator, words, "any", tuple(claims), label=label)

    def _first(self, operator: str, label: str, named: Named) -> Claim:
        """The last of these values: it holds, and none above it."""
        parts = [
            Claim("not", f"not {value}", "not", (self.of(when),))
            for value, when in named[:-1]
            if when is not None
        ]
        value, when = named[-1]
        words = f"{operator} {label} is {value}".replace("  ", " ")
        return Claim(
            operator, words, "all", (*([] if when is None else [self.of(when)]), *parts), label=label
        )

    def _scored(self) -> tuple[Claim, ...]:
        if self._scores is None:
            return ()
        return tuple(
            self.of(c.Score.model_validate({"score": {"of": of, "at_least": score}}))
            for of, score in self._scores._asdict().items()
        )
