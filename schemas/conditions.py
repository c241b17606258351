"""The condition language of lifecycle stages, tags, segments, roles and value: a typed tree of operators.

Each node is a mapping with one key, its operator; `OPERATORS` lists them all. Nothing is ever evaluated as an
expression, a template or SQL. A day is a calendar day of the deployment's time zone; the last N days are today and the
N - 1 days before it.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from schemas.labels import Stage
from schemas.plain import plain
from schemas.values import text_of

MAX_WINDOW_DAYS = 400
MAX_DEPTH = 12
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(plain)]
Path = Annotated[str, Field(pattern=r"^[^.\s][^.]{0,99}(\.[^.]{1,100}){0,2}$"), AfterValidator(plain)]


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Number = Annotated[Decimal, Field(max_digits=27, decimal_places=9, allow_inf_nan=False)]
Scalar = Annotated[Text, BeforeValidator(text_of)]
"""Compared as text: 5, 5.0 and "5" are one value, and so are true and "true"."""
Names = Annotated[tuple[Text, ...], Field(min_length=1, max_length=50), BeforeValidator(_listed)]
Label = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Labels = Annotated[tuple[Label, ...], Field(min_length=1, max_length=50), BeforeValidator(_listed)]
Conditions = Annotated[tuple["Condition", ...], Field(min_length=1, max_length=50)]
Times = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]


class Node(BaseModel):
    """What all nodes share: they are frozen and take no field that is not theirs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def _one_of(self, *names: str) -> None:
        if sum(getattr(self, name) is not None for name in names) != 1:
            raise ValueError(f"takes exactly one of {', '.join(names)}")

    def _some_of(self, *names: str) -> None:
        if all(getattr(self, name) is None for name in names):
            raise ValueError(f"needs one of {', '.join(names)}")

    def _range(self) -> None:
        least, most = getattr(self, "at_least", None), getattr(self, "at_most", None)
        if least is not None and most is not None and least > most:
            raise ValueError("at_least is greater than at_most: it could never hold")


class Bounded(Node):
    """What has a least or a most, `at_least` and `at_most`, or both."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        self._some_of("at_least", "at_most")
        self._range()
        return self


class LastDays(Node):
    """Today and the days before it, so many in all."""

    last_days: int = Field(strict=True, ge=1, le=MAX_WINDOW_DAYS)


def _day(value: Any) -> Any:
    if type(value) is date or (isinstance(value, str) and _ISO_DAY.fullmatch(value)):
        return value
    raise ValueError("a day is written as 2026-12-31")


Day = Annotated[date, BeforeValidator(_day)]


class Between(Node):
    """From a day to a day, both among them."""

    from_: Day = Field(alias="from")
    to: Day
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.from_ > self.to:
            raise ValueError("from is later than to")
        return self


class MoreThanDays(Node):
    """Longer ago: true from 00:00 of the day so many days after, on."""

    more_than_days_ago: int = Field(strict=True, ge=1, le=36_500)


def _window(node: Any) -> str | None:
    if isinstance(node, dict):
        return next((str(name) for name in ("last_days", "more_than_days_ago") if name in node), "from")
    return (
        "last_days"
        if isinstance(node, LastDays)
        else "more_than_days_ago"
        if isinstance(node, MoreThanDays)
        else "from"
    )


Window = Annotated[
    Annotated[LastDays, Tag("last_days")] | Annotated[Between, Tag("from")], Discriminator(_window)
]
AnyWindow = Annotated[
    Annotated[LastDays, Tag("last_days")]
    | Annotated[Between, Tag("from")]
    | Annotated[MoreThanDays, Tag("more_than_days_ago")],
    Discriminator(_window),
]


class ValueTest(Node):
    """A test of a value. What is compared with numbers is a JSON number or a plain decimal string, else it fails.

    A property that is a list, or lies in a list, has several values: a test holds where one of them passes, `is_not`
    where there are some and none is it.
    """

    is_: Scalar | None = Field(None, alias="is")
    is_not: Scalar | None = None
    one_of: Annotated[tuple[Scalar, ...], Field(min_length=1, max_length=100)] | None = None
    at_least: Number | None = None
    at_most: Number | None = None
    exists: Annotated[bool, Field(strict=True)] | None = None
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        bounds = self.at_least is not None or self.at_most is not None
        named = [n for n in ("is_", "is_not", "one_of", "exists") if getattr(self, n) is not None]
        if len(named) + bounds != 1:
            raise ValueError("takes exactly one of is, is_not, one_of, exists, or at_least and at_most")
        self._range()
        return self


class Filter(ValueTest):
    """A test of one property of an event; `products.category` reaches into objects and lists."""

    property: Path


class Events(Node):
    """Which events: of one of these names, passing all filters."""

    event: Names
    where: Annotated[tuple[Filter, ...], Field(max_length=10)] = ()


class All(Node):
    """Every condition holds."""

    all: Conditions


class Any_(Node):  # noqa: N801  (`Any` is typing's)
    """At least one condition holds."""

    any: Conditions


class Not(Node):
    """The condition does not hold."""

    not_: Annotated["Condition", Field(alias="not")]
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class DidOf(Events):
    """Events, how often and when: without a number at least once, without a window ever.

    Each event counts: an order that is sent again under another message id does so twice, in `count: purchases` once.
    """

    at_least: Times | None = None
    at_most: Times | None = None
    exactly: Times | None = None
    within: Window | None = None

    @model_validator(mode="after")
    def _number(self) -> Self:
        if self.exactly is not None and (self.at_least is not None or self.at_most is not None):
            raise ValueError("takes exactly, or at_least and at_most")
        self._range()
        return self


class Did(Node):
    """Events happened so often; a list of names alone: one of these was ever seen."""

    did: Annotated[
        Annotated[Names, Tag("names")] | Annotated[DidOf, Tag("events")],
        Discriminator(lambda did: "events" if isinstance(did, dict | DidOf) else "names"),
    ]


class CountOf(Node):
    """How many, of what.

    `purchases` (orders completed, not cancelled, not fully refunded), `contracts` (signed), `renewals`, or
    events by name.
    """

    of: Literal["purchases", "contracts", "renewals"] | Names
    at_least: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]


class Count(Node):
    """A count reaches a bound."""

    count: CountOf


class SinceLast(Node):
    """From 00:00 local time of the day `days` after the last one, on; false where there was none.

    `own`: anything of the customer's own doing; `contract_end`: the latest last day of a contract; or events
    by name.
    """

    last: Literal["own", "contract_end"] | Names
    days: int = Field(strict=True, ge=1, le=36_500)


class Since(Node):
    """Time has passed since something last happened: nothing since N days."""

    since: SinceLast


class TimeOf(Events):
    """The first or the last time of events lies in a window; false where there was none."""

    within: AnyWindow


class First(Node):
    """The first time of events lies in a window."""

    first: TimeOf


class Last(Node):
    """The last time of events lies in a window."""

    last: TimeOf


class MeasureOf(Events, Bounded):
    """Numbers of a property of events."""

    property: Path
    within: Window | None = None
    at_least: Number | None = None
    at_most: Number | None = None


class Sum(Node):
    """The sum of a property of events; what is no number adds nothing. Without events it is 0."""

    sum: MeasureOf


class Max(Node):
    """The greatest number of a property of events; false where there is none."""

    max: MeasureOf


class DistinctOf(Events, Bounded):
    """Values of a property of events: texts of at most 200 characters, numbers, true and false."""

    property: Path
    within: Window | None = None
    at_least: Annotated[int, Field(strict=True, ge=0, le=1_000)] | None = None
    at_most: Annotated[int, Field(strict=True, ge=0, le=999)] | None = None


class Distinct(Node):
    """How many different values a property of events had: exact to 1,000, more count as 1,000."""

    distinct: DistinctOf


class LatestOf(Events, ValueTest):
    """The latest value of a property of events, and its test."""

    property: Path


class Latest(Node):
    """The latest value of a property of events passes a test: an answer, a preference."""

    latest: LatestOf


class InterestOf(Events):
    """A value is among those most seen in a property of events, older sightings counting less.

    A sighting counts 1, halved after each `half_life_days`, in whole periods of so many days since 1970-01-01; after
    24 of them, nothing. The first 100 values in alphabetical order are kept. Among equals the first of them is more.
    """

    property: Path
    is_: Names = Field(alias="is")
    top: Annotated[int, Field(strict=True, ge=1, le=10)] | None = None
    at_least: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = None
    half_life_days: int = Field(30, strict=True, ge=1, le=400)
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        self._some_of("top", "at_least")
        return self


class Interest(Node):
    """A need: what of a kind the customer looks at most."""

    interest: InterestOf


class TraitTest(ValueTest):
    """The latest value of a trait, and its test: region, gender, a survey's answer, a consent."""

    name: Text


class Trait(Node):
    """A trait passes a test."""

    trait: TraitTest


class AgeOf(Bounded):
    """Whole years since a birthday, a trait as 1990-12-31; false where there is none."""

    trait: Text = "birthday"
    at_least: Annotated[int, Field(strict=True, ge=0, le=150)] | None = None
    at_most: Annotated[int, Field(strict=True, ge=0, le=150)] | None = None


class Age(Node):
    """How old somebody is, from the birthday."""

    age: AgeOf


class Identified(Node):
    """An identifier of one of these namespaces is known."""

    identifier: Names


class ChannelOf(Node):
    """Events of some channels, how often."""

    of: Names
    at_least: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 1


class OnChannel(Node):
    """Somebody was seen on a channel."""

    channel: ChannelOf


class RevenueOf(Bounded):
    """Net revenue in the deployment's currency, other currencies by the published rates."""

    at_least: Number | None = None
    at_most: Number | None = None


class Revenue(Node):
    """What somebody brought."""

    revenue: RevenueOf


class Tier(Node):
    """The value tier is one of these."""

    tier: Annotated[tuple[Label, ...], Field(min_length=1, max_length=10), BeforeValidator(_listed)]


class ScoreOf(Bounded):
    """A score of value, 1 to 5; false where no thresholds are published yet."""

    of: Literal["relationship", "frequency", "monetary"]
    at_least: Annotated[int, Field(strict=True, ge=1, le=5)] | None = None
    at_most: Annotated[int, Field(strict=True, ge=1, le=5)] | None = None


class Score(Node):
    """How a customer ranks in the whole base."""

    score: ScoreOf


class InStage(Node):
    """The lifecycle stage is one of these."""

    stage: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=6), BeforeValidator(_listed)]


class InSegment(Node):
    """Somebody is in another segment."""

    segment: Label


class HasRole(Node):
    """Somebody has a role."""

    role: Label


class TagTest(Node):
    """A tag has one of these values; without values, any."""

    name: Label
    is_: Labels | None = Field(None, alias="is")
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Tagged(Node):
    """Somebody carries a tag."""

    tag: TagTest


class Duration(Node):
    """A span of real time: exactly one of the three."""

    minutes: Annotated[int, Field(strict=True, ge=1, le=100_000)] | None = None
    hours: Annotated[int, Field(strict=True, ge=1, le=10_000)] | None = None
    days: Annotated[int, Field(strict=True, ge=1, le=MAX_WINDOW_DAYS)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        self._one_of("minutes", "hours", "days")
        return self

    @property
    def ms(self) -> int:
        """The span in milliseconds."""
        return (self.minutes or 0) * 60_000 + (self.hours or 0) * 3_600_000 + (self.days or 0) * 86_400_000


class SequenceOf(Node):
    """Steps one after the other, each later than the one before, the last within a time of the first.

    `without`: none of these strictly between the first and the last. Of each step's times the 100 newest are looked at,
    and of each first the earliest that follow.
    """

    steps: Annotated[tuple[Events, ...], Field(min_length=2, max_length=5)]
    within: Duration
    without: Events | None = None


class Sequence(Node):
    """Events happened in this order."""

    sequence: SequenceOf


OPERATORS: dict[str, type[Node]] = {
    "all": All, "any": Any_, "not": Not, "did": Did, "count": Count, "since": Since, "first": First, "last": Last,
    "sum": Sum, "max": Max, "distinct": Distinct, "latest": Latest, "interest": Interest, "sequence": Sequence,
    "trait": Trait, "age": Age, "identifier": Identified, "channel": OnChannel, "revenue": Revenue, "tier": Tier,
    "score": Score, "stage": InStage, "segment": InSegment, "role": HasRole, "tag": Tagged,
}  # fmt: skip
"""Every operator and its model."""
_NAMES = {model: name for name, model in OPERATORS.items()}


def operator_of(node: Any) -> str:
    """The operator of a node, parsed or not; `?` where there is not exactly one."""
    if isinstance(node, dict):
        names = [str(name) for name in node]
        return names[0] if len(names) == 1 else "?"
    return _NAMES.get(type(node), "?")


Condition = Annotated[
    Annotated[All, Tag("all")]
    | Annotated[Any_, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[Did, Tag("did")]
    | Annotated[Count, Tag("count")]
    | Annotated[Since, Tag("since")]
    | Annotated[First, Tag("first")]
    | Annotated[Last, Tag("last")]
    | Annotated[Sum, Tag("sum")]
    | Annotated[Max, Tag("max")]
    | Annotated[Distinct, Tag("distinct")]
    | Annotated[Latest, Tag("latest")]
    | Annotated[Interest, Tag("interest")]
    | Annotated[Sequence, Tag("sequence")]
    | Annotated[Trait, Tag("trait")]
    | Annotated[Age, Tag("age")]
    | Annotated[Identified, Tag("identifier")]
    | Annotated[OnChannel, Tag("channel")]
    | Annotated[Revenue, Tag("revenue")]
    | Annotated[Tier, Tag("tier")]
    | Annotated[Score, Tag("score")]
    | Annotated[InStage, Tag("stage")]
    | Annotated[InSegment, Tag("segment")]
    | Annotated[HasRole, Tag("role")]
    | Annotated[Tagged, Tag("tag")],
    Discriminator(
        operator_of,
        custom_error_type="operator",
        custom_error_message="a condition is one of: " + ", ".join(OPERATORS),
    ),
]

for _model in OPERATORS.values():
    _model.model_rebuild()
