"""What a tracking plan says of one event. Pure; the same function in ingest and in `cdp plan check`.

    rules, reject = compiled(plan).check(name, stated_version, properties, traits, identifiers)

An event is checked as the log will have it: by its canonical name, its traits in one place. Only the amounts of
registered events, decimal strings in the log, are checked as numbers, unless their schema wants texts.

A rule is `EVENT@VERSION POINTER KEYWORD`, as `Order Completed@2 /properties/total type`. It names nothing but what the
plan itself says: never a value, nor a property that only the sender knows. `EVENT unplanned` and `EVENT version` (one
that the plan does not have) are the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ingest.amounts import Amounts, amounts_of, numbers
from ingest.parts import Part, broken, part_of
from ingest.rules import legible, pointer
from schemas.plan import Plan, Planned, PlannedEvent

Fields = dict[str, Any]
Verdict = tuple[tuple[str, ...], bool]
"""The rules that an event breaks, and whether it is rejected for it."""
FINE: Verdict = ((), False)
MAX_RULES = 20
"""Rules that are told of one event."""
CALLS = frozenset(("Page Viewed", "Screen Viewed", "Identified", "Grouped", "Aliased"))
"""Names of the calls other than track, which are never unplanned."""


class _Version(NamedTuple):
    """A version of an event, compiled. `label`: as rules name it."""

    label: str
    properties: Part | None
    traits: Part | None
    amounts: Amounts | None
    identifiers: tuple[str, ...]
    reject: bool


class _Event(NamedTuple):
    """An event's versions."""

    newest: _Version
    versions: dict[int, _Version]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A plan that can be asked."""

    events: Mapping[str, _Event]
    unplanned: str

    def check(
        self, name: str, version: Any, properties: Fields, traits: Fields, identifiers: Mapping[str, Any], /
    ) -> Verdict:
        """The rules that an event breaks, and whether it is rejected for it.

        `version` is what the sender states in `context.protocols.event_version`, whatever that is, or None.
        """
        event = self.events.get(name)
        if event is None:
            if self.unplanned == "accept" or name in CALLS:
                return FINE
            return (f"{legible(name)} unplanned",), self.unplanned == "reject"
        planned = event.newest if version is None else event.versions.get(_number(version))
        if planned is None:
            return (f"{legible(name)} version",), event.newest.reject
        if planned.amounts is not None:
            properties = numbers(properties, planned.amounts)
        rules = [
            *broken(planned.properties, properties),
            *broken(planned.traits, traits),
            *(
                f"{pointer('identifiers', n)} required"
                for n in planned.identifiers
                if not _has(identifiers, n)
            ),
        ]
        if not rules:
            return FINE
        return tuple(f"{planned.label} {rule}" for rule in rules[:MAX_RULES]), planned.reject


def compiled(plan: Planned) -> Compiled:
    """A plan that was checked (`schemas.plan.load`), ready to be asked."""
    events: dict[str, dict[int, _Version]] = {}
    for event in plan.events:
        events.setdefault(event.name, {})[event.version] = _version(event)
    return Compiled(
        {n: _Event(versions[max(versions)], versions) for n, versions in events.items()}, plan.unplanned
    )


def of_record(value: bytes) -> Compiled:
    """The plan of a record `plan/SOURCE/VERSION`, ready to be asked; ValueError where it is none."""
    return compiled(Plan.model_validate_json(value))


def _version(event: PlannedEvent) -> _Version:
    return _Version(
        f"{legible(event.name)}@{event.version}",
        part_of("properties", event.properties),
        part_of("traits", event.traits),
        amounts_of(event.name, event.properties) if event.properties else None,
        event.identifiers,
        event.on_violation == "reject",
    )


def _number(version: Any) -> int:
    """A stated version as a number; 0, which no event has, where it is none."""
    if type(version) is int:
        return version
    return int(version) if type(version) is str and version.isdecimal() and len(version) < 8 else 0


def _has(identifiers: Mapping[str, Any], namespace: str) -> bool:
    """Whether a value of the namespace is stated; without a scope, of any scope."""
    return namespace in identifiers or any(name.partition("/")[0] == namespace for name in identifiers)
