"""A lifecycle definition: which of the six stages a customer is in, as a typed tree of conditions.

The stages are read from the top; the first whose condition holds is the customer's, so it is always exactly
one. The last stage has no condition. The operators are `all`, `any`, `not`, `did`, `count` and `since`;
nothing is ever evaluated as an expression.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

Stage = Literal["prospect", "responder", "new", "mature", "silent", "churned"]
STAGES: tuple[Stage, ...] = ("prospect", "responder", "new", "mature", "silent", "churned")
Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Node(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class All(_Node):
    """Every condition holds."""

    all: Annotated[tuple["Condition", ...], Field(min_length=1, max_length=50)]


class Any_(_Node):  # noqa: N801  (`Any` is typing's)
    """At least one condition holds."""

    any: Annotated[tuple["Condition", ...], Field(min_length=1, max_length=50)]


class Not(_Node):
    """The condition does not hold."""

    not_: Annotated["Condition", Field(alias="not")]


class Did(_Node):
    """An event of one of these names was ever seen."""

    did: Annotated[tuple[Name, ...], Field(min_length=1, max_length=50)]


class CountOf(_Node):
    """How many, of what.

    `purchases` (orders completed, not cancelled, not fully refunded), `contracts` (signed), `renewals`, or
    events by name.
    """

    of: (
        Literal["purchases", "contracts", "renewals"]
        | Annotated[tuple[Name, ...], Field(min_length=1, max_length=50)]
    )
    at_least: int = Field(ge=1, le=1_000_000)


class Count(_Node):
    """A count reaches a bound."""

    count: CountOf


class SinceLast(_Node):
    """From 00:00 local time of the day `days` after the last one, on; false where there was none.

    `own`: anything of the customer's own doing; `contract_end`: the latest last day of a contract; or events
    by name.
    """

    last: Literal["own", "contract_end"] | Annotated[tuple[Name, ...], Field(min_length=1, max_length=50)]
    days: int = Field(ge=1, le=36_500)


class Since(_Node):
    """Time has passed since something last happened."""

    since: SinceLast


def _operator(node: Any) -> str | None:
    if isinstance(node, dict):
        names = [str(k) for k in node]
        return names[0] if len(names) == 1 else "?"
    return {"Any_": "any", "Not": "not"}.get(type(node).__name__, type(node).__name__.lower())


Condition = Annotated[
    Annotated[All, Tag("all")]
    | Annotated[Any_, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[Did, Tag("did")]
    | Annotated[Count, Tag("count")]
    | Annotated[Since, Tag("since")],
    Discriminator(
        _operator,
        custom_error_type="operator",
        custom_error_message="a condition is one of: all, any, not, did, count, since",
    ),
]


class StageRule(_Node):
    """One stage and when a customer is in it."""

    stage: Stage
    when: Condition | None = None


class Lifecycle(BaseModel):
    """A lifecycle definition, one version of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["lifecycle"]
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")
    version: int = Field(ge=1, le=1_000_000)
    about: str = ""
    stages: tuple[StageRule, ...]

    @model_validator(mode="after")
    def _one_stage_always(self) -> Self:
        names = [rule.stage for rule in self.stages]
        missing = [s for s in STAGES if s not in names]
        twice = sorted({s for s in names if names.count(s) > 1})
        if missing or twice:
            faults = [
                f"{what}: {', '.join(which)}"
                for what, which in (("missing", missing), ("twice", twice))
                if which
            ]
            raise ValueError(f"each stage stands once; {'; '.join(faults)}")
        if self.stages[-1].when is not None:
            raise ValueError(f"the last stage, {names[-1]}, holds where no other does: it takes no `when`")
        for rule in self.stages[:-1]:
            if rule.when is None:
                raise ValueError(
                    f"{rule.stage} needs a `when`: without one the stages below it are never reached"
                )
        return self


for _model in (All, Any_, Not, StageRule, Lifecycle):
    _model.model_rebuild()
