"""Definitions of what customers are: tags, segments, roles and value; and the model that puts them together.

Each stands in `cdp.definitions.v1` under kind/name/version and is never changed there. A *model* names every version
that is in force together; its number counts the publications of a deployment.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from schemas.conditions import Condition, DidOf, Label, Number
from schemas.event import Millis
from schemas.plain import MAX_REASON, About, plain

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Key = Annotated[str, Field(pattern=r"^[a-z]+/[a-z][a-z0-9_-]{0,39}/[1-9][0-9]{0,6}$")]


class _Definition(BaseModel):
    """What all share. `about` is read by people: why, not how."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Label
    version: int = Field(strict=True, ge=1, le=1_000_000)
    about: About = ""


class Segment(_Definition):
    """A named set of customers."""

    kind: Literal["segment"]
    when: Condition


class Role(_Definition):
    """What somebody is to the brand; one may have several."""

    kind: Literal["role"]
    when: Condition


class TagValue(BaseModel):
    """A value of a tag and when it holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    value: Label
    when: Condition


class TagRules(_Definition):
    """A tag: the first value from the top whose condition holds, none where none does."""

    kind: Literal["tag"]
    values: Annotated[tuple[TagValue, ...], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _once(self) -> Self:
        values = [one.value for one in self.values]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise ValueError(f"each value stands once: {', '.join(twice)}")
        return self


class TierFrom(BaseModel):
    """A tier and the points from which on it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    tier: Label
    points: int = Field(strict=True, ge=0, le=15)


class Value(_Definition):
    """Value: three scores of 1 to 5, by quantiles of the whole base, and the tier of their sum.

    relationship: days since the first thing of the customer's own doing. frequency: how often these events happened in
    their window. monetary: net revenue. A score is 1 and one more for each threshold that is passed
    (`Thresholds`): who is like the least has 1, however many they are. Tiers stand from the highest; the last takes 0
    points.
    """

    kind: Literal["value"]
    frequency: DidOf
    tiers: Annotated[tuple[TierFrom, ...], Field(min_length=1, max_length=10)]

    @model_validator(mode="after")
    def _falling(self) -> Self:
        points = [tier.points for tier in self.tiers]
        if points != sorted(set(points), reverse=True) or points[-1] != 0:
            raise ValueError("tiers stand from the most points to the least, and the last takes 0")
        of = self.frequency
        if any(number is not None for number in (of.at_least, of.at_most, of.exactly)):
            raise ValueError("frequency counts: it takes no number")
        return self


class Thresholds(_Definition):
    """The quantiles of a base at one time, as data: at 20, 40, 60 and 80 % of all who did anything of their own.

    Named as their `value`. Computed from ClickHouse, so that the fold stays pure.
    """

    kind: Literal["thresholds"]
    relationship: tuple[int, int, int, int]
    frequency: tuple[int, int, int, int]
    monetary: tuple[Number, Number, Number, Number]
    customers: int = Field(ge=0)
    computed_at: Millis


class Rates(_Definition):
    """What one unit of a currency is in the deployment's; what has no rate is left out of revenue, and counted."""

    kind: Literal["rates"]
    rates: dict[Currency, Annotated[Number, Field(gt=0)]]


class Model(_Definition):
    """All definitions in force together: lifecycle, value, roles, tags and segments, each by its key.

    `leaves`: digest of each leaf that they need -> the model since which it is remembered. Named `main`.
    """

    kind: Literal["model"]
    name: Literal["main"] = "main"
    definitions: Annotated[tuple[Key, ...], Field(max_length=1_000)]
    leaves: dict[str, int]
    because: Annotated[str, Field(min_length=1, max_length=MAX_REASON), AfterValidator(plain)] | None = None
