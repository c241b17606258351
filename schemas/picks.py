"""Where a mapping (`schemas.mapping`) takes one value from: a column, a time, a condition on a row."""

from datetime import datetime
from math import isfinite
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

ISO, UNIX = "iso", "unix"
_TRIAL = datetime(2026, 12, 31, 23, 58, 57)  # noqa: DTZ001 - only to try a format with

Step = (
    Annotated[str, Field(min_length=1, max_length=200)] | Annotated[int, Field(ge=0, le=1_000, strict=True)]
)
Way = Annotated[
    tuple[Step, ...],
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    Field(min_length=1, max_length=20),
]
"""A column's name, as it stands; or the names that lead to a nested value, a number in a list."""


def as_text(value: Any) -> str:
    """What a row or a mapping says, as the text that the two are compared by: 7 and 7.0 are `7`, true is `true`."""
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, bool | str | int) or (isinstance(value, float) and isfinite(value)):
        return value
    raise ValueError("must be a text (a day: in quotes), a number, true or false")


def _text_keys(value: Any) -> Any:
    return {as_text(key): each for key, each in value.items()} if isinstance(value, dict) else value


def _texts(value: Any) -> Any:
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(each if isinstance(each, list | dict) else as_text(each) for each in values)


def _format(given: str) -> str:
    if given in (ISO, UNIX):
        return given
    try:
        read = datetime.strptime(_TRIAL.strftime(given), given)  # noqa: DTZ007 - the zone comes with the mapping
    except ValueError:
        read = None
    if read is None or read.date() != _TRIAL.date():
        raise ValueError("must be iso, unix, or a format with day, month and year, as %d.%m.%Y %H:%M")
    return given


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"no time zone is named {name[:40]!r}; as Europe/Berlin") from None
    return name


Texts = Annotated[tuple[str, ...], BeforeValidator(_texts), Field(max_length=1_000)]
Scalar = Annotated[Any, AfterValidator(_scalar)]
Format = Annotated[str, Field(max_length=100), AfterValidator(_format)]
Zone = Annotated[str, Field(max_length=100), AfterValidator(_zone)]


class Document(BaseModel):
    """A part of a mapping file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Pick(Document):
    """One value: of a column, or a constant. A plain text stands for the column of that name."""

    column: Way | None = None
    value: Scalar | None = Field(None, description="a constant")
    type: Literal["text", "integer", "number", "money", "boolean", "date"] | None = Field(
        None, description="what it becomes; as it stands where left out"
    )
    format: Format | None = Field(None, description="of a date; `iso` where left out")
    map: (
        Annotated[dict[str, Scalar], BeforeValidator(_text_keys), Field(min_length=1, max_length=1_000)]
        | None
    ) = Field(None, description="what texts of the column stand for")
    otherwise: Scalar | None = Field(
        None, description="what all texts stand for that `map` does not have; refused where left out"
    )

    @model_validator(mode="before")
    @classmethod
    def _of_a_name(cls, given: Any) -> Any:
        if isinstance(given, list):
            raise ValueError("must be a column's name; a nested value is written {column: [member, card]}")
        return {"column": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if (self.column is None) == (self.value is None):
            raise ValueError("needs either column or value")
        if self.column is None and len(self.model_fields_set) > 1:
            raise ValueError("a constant is written {value: EUR}, with nothing beside it")
        if self.map is not None and self.type is not None:
            raise ValueError("map says what it becomes: there is no type beside it")
        if self.otherwise is not None and self.map is None:
            raise ValueError("otherwise needs a map")
        if self.format is not None and self.type != "date":
            raise ValueError("format needs type: date")
        return self


class When(Document):
    """A column that has this text, or one of these; an empty text: that it has none."""

    column: Way
    is_: Annotated[Texts, Field(min_length=1)] = Field(alias="is")


class Time(Document):
    """When it happened. A plain text stands for the column of that name.

    A time without an offset is of the time zone. One that a change of the clocks leaves out or has twice is read with
    the offset before the change.
    """

    columns: Annotated[tuple[Way, ...], Field(min_length=1, max_length=3)] = Field(
        description="one, or several that are joined by a space: a date and a time"
    )
    format: Format = Field(ISO, description="iso, unix, or as %d.%m.%Y %H:%M")
    timezone: Zone | None = Field(None, description="the mapping's where left out")

    @model_validator(mode="before")
    @classmethod
    def _of_one(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"columns": [given]}
        if isinstance(given, dict) and "column" in given:
            if "columns" in given:
                raise ValueError("needs either column or columns")
            return {
                **{name: each for name, each in given.items() if name != "column"},
                "columns": [given["column"]],
            }
        return given

    @model_validator(mode="after")
    def _unix_is_one_column(self) -> Self:
        if self.format == UNIX and len(self.columns) > 1:
            raise ValueError("a unix time stands in one column")
        return self
