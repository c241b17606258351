"""How far the publication of a model is: a record of `cdp.definitions.v1` beside the model's own.

It is written in one transaction with what it tells of, so that a publisher that was killed is followed by one that goes
on exactly there.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.portrait import Key

PREFIX = "backfill/"


class Publication(BaseModel):
    """Of one model. Partitions of `cdp.events.v1` are told in their order."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    v: Literal[1] = 1
    model: Key = Field(description="key of the model: model/main/number")
    below: tuple[int, ...] = Field(
        (), description="offset of each partition's `collecting` marker; none where nothing new is remembered"
    )
    sent: int = Field(0, ge=0, description="backfill commands sent, with what events below the markers state")
    after: str = Field("", description="greatest identifier for which they were sent; none before the first")
    complete: bool = Field(False, description="it was sent for all")
    marked: tuple[int, ...] = Field(
        (), description="offset of each partition's `model` marker; none while it is not in force"
    )


def key_of(model: str) -> str:
    """`backfill/main/7` of `model/main/7`."""
    return PREFIX + model.removeprefix("model/")
