"""Mappings: which event a row states, where rows are of somebody else's making. One format for files and topics.

A row is a mapping of columns to values: a line of CSV, an object of NDJSON, a row of Parquet, the payload of a message.
Plain typed YAML: where each part of an event comes from, and no expressions. `ingest.mapping` makes a function of it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from schemas.brokers import Kafka, Mqtt
from schemas.definitions import read_yaml, validate
from schemas.identity import SCOPE
from schemas.picks import Document, Pick, Texts, Time, Way, When, Zone, as_text

_NAMESPACE = re.compile(rf"[a-z][a-z0-9_]{{0,39}}(/{SCOPE.pattern})?")


def _namespace(name: str) -> str:
    if not _NAMESPACE.fullmatch(name):
        raise ValueError("must be a namespace, as email, or shop_customer/SHOP")
    return name


def _encoding(name: str) -> str:
    try:
        plain = '\n,";0'.encode(name) == b'\n,";0' and b"\n\t".decode(name) == "\n\t"
    except (LookupError, ValueError):
        plain = False
    if not plain:
        raise ValueError("must be an encoding in which ASCII is ASCII, as utf-8, cp1252 or gb18030")
    return name


Namespace = Annotated[str, AfterValidator(_namespace)]
Character = Annotated[str, Field(min_length=1, max_length=1)]


def _identifying(pick: Pick) -> Pick:
    if pick.column is None or pick.type is not None or pick.map is not None:
        raise ValueError("an identifier is what stands in a column")
    return pick


Picks = Annotated[
    tuple[Annotated[Pick, AfterValidator(_identifying)], ...],
    BeforeValidator(lambda value: value if isinstance(value, list) else [value]),
    Field(min_length=1, max_length=10),
]
Name = Annotated[Pick, BeforeValidator(lambda value: {"value": value} if isinstance(value, str) else value)]
Fields = Annotated[dict[Annotated[str, Field(min_length=1, max_length=200)], Pick], Field(max_length=500)]


class MappedEvent(Document):
    """One event that a row may state."""

    when: tuple[When, ...] = Field((), max_length=20, description="all of these must hold")
    type: Literal["track", "identify", "page", "screen"] = "track"
    event: Name | None = Field(None, description="its name: fixed, or by a column")
    identifiers: Annotated[dict[Namespace, Picks], Field(min_length=1, max_length=20)]
    time: Time | None = Field(None, description="when it happened; where left out, when it arrives")
    message_id: tuple[Way, ...] | None = Field(
        None,
        min_length=1,
        max_length=10,
        description="columns that tell this event from all others of its name; the whole row where left out",
    )
    properties: Fields = Field({}, description="what happened")
    traits: Fields = Field({}, description="what it states of the customer")

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if self.type == "track" and self.event is None:
            raise ValueError("a track needs event")
        if self.type == "identify" and self.event is not None:
            raise ValueError("an identify has no event")
        if (
            self.event is not None
            and self.event.value is not None
            and not 0 < len(as_text(self.event.value)) <= 200
        ):
            raise ValueError("event must have 1 to 200 characters")
        return self


class Csv(Document):
    """How CSV files are written."""

    delimiter: Character = ","
    quote: Character = '"'
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    columns: tuple[str, ...] | None = Field(
        None, min_length=1, max_length=2_000, description="where the file has no line with their names"
    )


class Mapping(Document):
    """A mapping file."""

    kind: Literal["mapping"]
    name: str = Field(
        pattern=r"^[a-z][a-z0-9_-]{0,39}$",
        description="stands in every messageId: with another name, the same rows are other events",
    )
    source: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")] | None = Field(
        None, description="whose events these are, where the command does not say"
    )
    timezone: Zone | None = Field(
        None, description="of times without an offset; the deployment's where left out"
    )
    decimal: Literal[".", ","] = Field(".", description="what stands before the decimals of a number")
    empty: Texts = Field(
        (), description="texts that say that there is nothing, as NULL; an empty text always does"
    )
    otherwise: Literal["reject", "skip"] = Field(
        "reject", description="what becomes of a row that no `when` wants"
    )
    original: Literal["keep", "drop"] = Field(
        "keep", description="whether the row goes into context.original"
    )
    csv: Csv = Csv()
    mqtt: Mqtt | None = Field(None, description="the broker of `cdp mqtt`")
    kafka: Kafka | None = Field(None, description="the cluster of `cdp pull`")
    events: tuple[MappedEvent, ...] = Field(
        min_length=1, max_length=50, description="the first whose `when` holds is the row's"
    )

    @model_validator(mode="after")
    def _each_can_be_reached(self) -> Self:
        for number, event in enumerate(self.events[:-1]):
            if not event.when:
                raise ValueError(f"events.{number} has no when: those after it are never reached")
        return self


def load(path: Path) -> Mapping:
    """The mapping of a file; ConfigError names the place of each fault."""
    return validate(Mapping, read_yaml(path), str(path))


def ways(mapping: Mapping) -> Iterator[tuple[str | int, ...]]:
    """Every column that a mapping reads."""
    for event in mapping.events:
        yield from (when.column for when in event.when)
        yield from event.time.columns if event.time else ()
        yield from event.message_id or ()
        picks = [pick for picks in event.identifiers.values() for pick in picks]
        for pick in (
            *picks,
            *event.properties.values(),
            *event.traits.values(),
            *([event.event] if event.event else []),
        ):
            if pick.column is not None:
                yield pick.column
