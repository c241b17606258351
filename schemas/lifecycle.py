"""A lifecycle definition: which of the six stages a customer is in, as a typed tree of conditions.

The stages are read from the top; the first whose condition holds is the customer's, so it is always exactly
one. The last stage has no condition. The conditions are those of `schemas/conditions.py`.
"""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.conditions import Condition
from schemas.labels import STAGES, Stage
from schemas.plain import About


class StageRule(BaseModel):
    """One stage and when a customer is in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    stage: Stage
    when: Condition | None = None


class Lifecycle(BaseModel):
    """A lifecycle definition, one version of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["lifecycle"]
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")
    version: int = Field(ge=1, le=1_000_000)
    about: About = ""
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
