"""Conditions on what leaves remember of values and times: the latest answer, interests, sequences."""

import heapq
from bisect import bisect_right

from processors.portrait.compiled import Compiled, Context, earliest, leaf_of, never
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
    key, wanted, days = context.key_of(leaf), frozenset(of.is_), of.half_life_days
    least = 1 if of.at_least is None else of.at_least << HALVINGS

    def test(who: Subject) -> bool:
        state, today = leaf_of(who, key), who.today // days
        if state is None:
            return False
        mine = [value for value in wanted if _score(state["b"].get(value), today) >= least]
        if of.top is None or not mine:
            return bool(mine)
        if len(state["b"]) <= of.top:
            return True
        scored = ((-_score(periods, today), value) for value, periods in state["b"].items())
        top = heapq.nsmallest(of.top, scored)
        return any(value in mine for _, value in top)

    def at_period(period: int) -> int:
        return context.calendar.start_of(period * days)

    def forgotten(who: Subject) -> int | None:
        state, today = leaf_of(who, key), who.today // days
        if state is None:
            return None
        seen = {int(period) for periods in state["b"].values() for period in periods}
        oldest = min((period for period in seen if period + HALVINGS >= today), default=None)
        return None if oldest is None else at_period(oldest + HALVINGS + 1)

    def too_little(who: Subject) -> int | None:
        state, today = leaf_of(who, key), who.today // days
        mine = () if state is None else [p for v in wanted if _score(p := state["b"].get(v), today) >= least]
        ends = [_falls_below(periods, today, least) for periods in mine]
        return at_period(min(ends)) if ends else None

    return Compiled(test, earliest([forgotten if of.top else never, too_little]))


def _falls_below(periods: dict[str, int], today: int, least: int) -> int:
    """The period from which on a score is too little: of nothing at all when the newest sighting is forgotten."""
    forgotten = max(map(int, periods)) + HALVINGS + 1
    if least == 1:
        return forgotten
    return next(p for p in range(today + 1, forgotten + 1) if _score(periods, p) < least)


def _score(periods: dict[str, int] | None, today: int) -> int:
    """In units of 2**-24 sightings of today."""
    total = 0
    for period, number in (periods or {}).items():
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
