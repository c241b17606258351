"""Conditions on what leaves remember of values and times: the latest answer, interests, sequences."""

import heapq
from bisect import bisect_right

from processors.portrait.compiled import Compiled, Context, both_of, leaf_of, never
from processors.portrait.subject import Subject
from processors.portrait.values import passes
from schemas import conditions as c
from schemas.leaves import HALVINGS
from schemas.remembered import leaves_of


def latest(node: c.Latest, context: Context) -> Compiled:
    """The latest value of a property."""
    (leaf,) = leaves_of(node)
    key, test = context.key_of(leaf), passes(node.latest)
    return Compiled(lambda who: test([] if (state := leaf_of(who, key)) is None else state["b"][2]), never)


def interest(node: c.Interest, context: Context) -> Compiled:
    """A value is among those most seen. All are halved at once, so order changes only where one is forgotten."""
    of, (leaf,) = node.interest, leaves_of(node)
    key, wanted, days = context.key_of(leaf), tuple(sorted({*of.is_})), of.half_life_days
    least, top = 1 if of.at_least is None else of.at_least << HALVINGS, of.top

    def both(who: Subject) -> tuple[bool, int | None]:
        state = leaf_of(who, key)
        if state is None:
            return False, None
        seen, today = state["b"], who.today // days
        mine = [value for value in wanted if value in seen and _score(seen[value], today) >= least]
        ends = [] if top is None else _forgotten(seen, today)
        if top is None or least > 1:  # else something is forgotten before there is nothing left of it
            ends += [_falls_below(seen[value], today, least) for value in mine]
        due = context.calendar.start_of(min(ends) * days) if ends else None
        return bool(mine) and (top is None or _leads(seen, today, top, mine)), due

    return both_of(both)


def _leads(seen: dict[str, dict[str, int]], today: int, top: int, mine: list[str]) -> bool:
    """Whether one of these is among the first."""
    if len(seen) <= top:
        return True
    scored = ((-_score(periods, today), value) for value, periods in seen.items())
    return any(value in mine for _, value in heapq.nsmallest(top, scored))


def _forgotten(seen: dict[str, dict[str, int]], today: int) -> list[int]:
    """The period in which the oldest sighting that still counts is forgotten, if there is one."""
    still = [n for periods in seen.values() for p in periods if (n := int(p)) + HALVINGS >= today]
    return [min(still) + HALVINGS + 1] if still else []


def _falls_below(periods: dict[str, int], today: int, least: int) -> int:
    """The period from which on a score is too little: of nothing at all when the newest sighting is forgotten."""
    forgotten = max(map(int, periods)) + HALVINGS + 1
    if least == 1:
        return forgotten
    return next(p for p in range(today + 1, forgotten + 1) if _score(periods, p) < least)


def _score(periods: dict[str, int], today: int) -> int:
    """In units of 2**-24 sightings of today."""
    total = 0
    for period, number in periods.items():
        age = today - int(period)
        if age <= HALVINGS:
            total += number << (HALVINGS - age)
    return total


def sequence(node: c.Sequence, context: Context) -> Compiled:
    """Steps one after the other."""
    keys = [context.key_of(leaf) for leaf in leaves_of(node)]
    within, steps = node.sequence.within.ms, len(node.sequence.steps)

    def test(who: Subject) -> bool:
        times = [[] if (state := leaf_of(who, key)) is None else state["b"] for key in keys]
        without = times[steps] if len(times) > steps else []
        for begun in times[0]:
            ended = _follow(begun, times[1:steps])
            if ended is not None and ended - begun <= within and _none_between(without, begun, ended):
                return True
        return False

    return Compiled(test, never)


def _follow(begun: int, steps: list[list[int]]) -> int | None:
    at = begun
    for times in steps:
        place = bisect_right(times, at)
        if place == len(times):
            return None
        at = times[place]
    return at


def _none_between(times: list[int], begun: int, ended: int) -> bool:
    place = bisect_right(times, begun)
    return place == len(times) or times[place] >= ended
