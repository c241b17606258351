"""Tracking plans: which events a source is expected to send, and what becomes of those that are otherwise.

A file is a `Planned`; published it is a `Plan`, the record `plan/SOURCE/VERSION` of `cdp.sources.v1`: every version is
kept, the greatest holds.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from schemas import json_schema
from schemas.definitions import MAX_FAULTS, read_yaml, validate
from schemas.errors import ConfigError
from schemas.event import Millis
from schemas.identity import SCOPE
from schemas.plain import MAX_REASON

PREFIX = "plan/"
MAX_PATTERNS = 2_000
"""Patterns of a plan; one that is large when compiled counts as `LARGE_PATTERN`."""
LARGE_PATTERN = 32
_NAMESPACE = re.compile(rf"[a-z][a-z0-9_]{{0,39}}(/{SCOPE.pattern})?")
Does = Literal["mark", "reject"]
Schema = Annotated[
    dict[str, Any], Field(description="JSON Schema 2020-12; references only to its own `$defs`")
]


def _legible(name: str) -> str:
    if not name.strip() or not name.isprintable():
        raise ValueError("must be a text in one line, not blank")
    return name


def _namespace(name: str) -> str:
    if not _NAMESPACE.fullmatch(name):
        raise ValueError("must be a namespace, as email, or wechat_openid/APPID for one account only")
    return name


Name = Annotated[str, AfterValidator(_legible)]
Namespace = Annotated[str, AfterValidator(_namespace)]


class PlannedEvent(BaseModel):
    """One version of one event."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Name = Field(
        min_length=1,
        max_length=200,
        description="of a track call its event; else Page Viewed, Screen Viewed, Identified, Grouped or Aliased",
    )
    version: int = Field(
        1,
        ge=1,
        le=1_000_000,
        strict=True,
        description="a sender states it in context.protocols.event_version; the newest holds where it states none",
    )
    about: str = Field("", max_length=1_000)
    properties: Schema | None = None
    traits: Schema | None = None
    identifiers: tuple[Namespace, ...] = Field(
        (), max_length=20, description="namespaces of which the event must state a value"
    )
    on_violation: Does = Field(
        "mark", description="`mark`: accept it all the same, and say which rules it breaks"
    )


class Planned(BaseModel):
    """What a plan says of one source's events."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["plan"]
    source: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")
    unplanned: Literal["accept", "mark", "reject"] = Field(
        "accept", description="what becomes of tracked events that are not in the plan"
    )
    events: tuple[PlannedEvent, ...] = Field((), max_length=500)


class Plan(Planned):
    """A plan in the log."""

    v: Literal[1] = 1
    version: int = Field(ge=1, le=1_000_000)
    published_at: Millis
    because: str = Field(min_length=1, max_length=MAX_REASON)


def key_of(plan: Plan) -> str:
    """`plan/shop/3`."""
    return f"{PREFIX}{plan.source}/{plan.version}"


def newest(records: Mapping[str, bytes], source: str) -> Plan | None:
    """The plan that holds for a source, of the records of `cdp.sources.v1` by key; None where it has none."""
    keys = [key for key in records if key.startswith(f"{PREFIX}{source}/")]
    greatest = max(keys, key=lambda key: int(key.rpartition("/")[2]), default=None)
    return None if greatest is None else Plan.model_validate_json(records[greatest])


def load(path: Path) -> Planned:
    """The plan of a file; ConfigError names the place of each fault."""
    return parse(read_yaml(path), str(path))


def parse(document: Any, where: str) -> Planned:
    """The plan that a parsed document holds; ConfigError names the place of each fault in it."""
    plan = validate(Planned, document, where)
    if found := list(_faults(plan)):
        raise ConfigError("; ".join(found[:MAX_FAULTS]), where)
    return plan


def _faults(plan: Planned) -> Iterator[str]:
    """What pydantic does not see, `events.3.properties.properties.total.type: must be ...`."""
    seen: set[tuple[str, int]] = set()
    weight = 0
    for number, event in enumerate(plan.events):
        if (event.name, event.version) in seen:
            yield f"events.{number}: {event.name!r} version {event.version} stands twice in the plan"
        seen.add((event.name, event.version))
        for part in ("properties", "traits"):
            schema: dict[str, Any] = getattr(event, part) or {}
            found = json_schema.faults(schema)
            yield from (f"{'.'.join(('events', str(number), part, *place))}: {what}" for place, what in found)
            weight += 0 if found else sum(map(_weight, json_schema.patterns(schema)))
            if weight > MAX_PATTERNS:
                yield "events: too many patterns, or too large ones; for lengths there are minLength and maxLength"
                return


def _weight(pattern: str) -> int:
    return 1 if json_schema.is_small(pattern) else LARGE_PATTERN
