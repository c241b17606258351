"""A lifecycle definition, compiled: which stage these facts make at this time, and until when at the soonest.

Each condition becomes a function of (part, now). Only `since` depends on time: it turns true at its boundary, 00:00
local of the day `days` after the last such thing, and false only through new facts. So the next time at which a stage
could change with nothing happening is the least boundary that still lies ahead.
"""

from collections.abc import Callable
from typing import NamedTuple

from processors.calendar import Calendar, day_number
from schemas.conditions import (
    All,
    Any_,
    Condition,
    Count,
    CountOf,
    Did,
    DidOf,
    Not,
    Since,
    SinceLast,
)
from schemas.facts import Part
from schemas.labels import Stage
from schemas.lifecycle import Lifecycle
from schemas.semantics import SEMANTICS

Test = Callable[[Part, int], bool]
Boundary = Callable[[Part], int | None]


class Stages(NamedTuple):
    """A compiled lifecycle.

    `rules` from the top, the last without a test; the boundaries of every `since`; `names`: the events that can change
    the stage of a customer for whom no `since` holds.
    """

    key: str
    rules: tuple[tuple[Stage, Test | None], ...]
    boundaries: tuple[Boundary, ...]
    names: frozenset[str]

    def stage_of(self, part: Part, now: int) -> Stage:
        """The one stage of these facts at this time."""
        for stage, test in self.rules:
            if test is None or test(part, now):
                return stage
        msg = "the last stage of a lifecycle takes no condition"
        raise AssertionError(msg)

    def horizon(self, part: Part, now: int) -> tuple[int | None, bool]:
        """The next instant at which time alone could change the stage, and whether some `since` holds already."""
        due, aged = None, False
        for boundary in self.boundaries:
            at = boundary(part)
            if at is None:
                continue
            if at <= now:
                aged = True
            elif due is None or at < due:
                due = at
        return due, aged


def compile_lifecycle(lifecycle: Lifecycle, key: str, calendar: Calendar) -> Stages:
    """The lifecycle under one calendar."""
    boundaries: dict[SinceLast, Boundary] = {}
    names = {semantic.name for semantic in SEMANTICS if semantic.entry}
    rules = tuple(
        (rule.stage, None if rule.when is None else _compile(rule.when, calendar, boundaries, names))
        for rule in lifecycle.stages
    )
    return Stages(key, rules, tuple(boundaries.values()), frozenset(names))


def _compile(
    condition: Condition, calendar: Calendar, boundaries: dict[SinceLast, Boundary], names: set[str]
) -> Test:
    match condition:
        case All():
            return _all(tuple(_compile(c, calendar, boundaries, names) for c in condition.all))
        case Any_():
            tests = tuple(_compile(c, calendar, boundaries, names) for c in condition.any)
            return lambda part, now: any(test(part, now) for test in tests)
        case Not():
            test = _compile(condition.not_, calendar, boundaries, names)
            return lambda part, now: not test(part, now)
        case Did() if not isinstance(condition.did, DidOf):
            names.update(condition.did)
            return _did(condition.did)
        case Count():
            names.update(() if isinstance(condition.count.of, str) else condition.count.of)
            return _count(condition.count)
        case Since():
            names.update(() if isinstance(condition.since.last, str) else condition.since.last)
            boundary = boundaries.setdefault(condition.since, _boundary(condition.since, calendar))
            return lambda part, now: (at := boundary(part)) is not None and now >= at
        case _:
            msg = f"not yet in a lifecycle: {condition}"
            raise NotImplementedError(msg)


def _all(tests: tuple[Test, ...]) -> Test:
    def test(part: Part, now: int) -> bool:
        for one in tests:  # noqa: SIM110 -- a generator costs three times as much here
            if not one(part, now):
                return False
        return True

    return test


def _did(names: tuple[str, ...]) -> Test:
    wanted = frozenset(names)
    return lambda part, _: not wanted.isdisjoint(part["names"])


def _count(count: CountOf) -> Test:
    least = count.at_least
    if count.of == "purchases":
        return lambda part, _: part["books"]["totals"]["purchases"] >= least
    if count.of == "contracts":
        return lambda part, _: part["books"]["totals"]["contracts"] >= least
    if count.of == "renewals":
        return lambda part, _: part["books"]["totals"]["renewals"] >= least
    names = count.of
    return lambda part, _: sum(part["names"][name][0] for name in names if name in part["names"]) >= least


def _boundary(since: SinceLast, calendar: Calendar) -> Boundary:
    days, last = since.days, since.last
    if last == "own":
        return lambda part: None if part["own_last"] is None else calendar.after(part["own_last"], days)
    if last == "contract_end":
        return lambda part: (
            None
            if (end := part["books"]["contract_end"]) is None
            else calendar.start_of(day_number(end) + days)
        )

    def boundary(part: Part) -> int | None:
        seen = [part["names"][name][2] for name in last if name in part["names"]]
        return calendar.after(max(seen), days) if seen else None

    return boundary
