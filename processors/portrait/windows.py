"""Conditions on what leaves remember by day: counts, sums, greatest numbers, distinct values, first and last times.

A window's oldest day leaves it at a midnight; the answer changes with the first that changes it.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from itertools import pairwise
from operator import add, ge, itemgetter, le
from typing import Any, NamedTuple, TypeVar

from processors.calendar import EPOCH
from processors.portrait.compiled import Compiled, Context, NextChange, both_of, later, leaf_of, never
from processors.portrait.subject import Subject
from schemas import conditions as c
from schemas import money
from schemas.leaves import MAX_DISTINCT, Leaf, LeafState
from schemas.remembered import leaves_of

T = TypeVar("T")
_BY_DAY = itemgetter(0)
Day = tuple[int, T]


class Measure(NamedTuple):
    """How days are measured. `days`: what is remembered of each, by its number; of no day where all are one.

    `of` one of these, in the deployment's currency; `both` of two; `nothing` of none.
    """

    days: Callable[[LeafState], Mapping[Any, Any]]
    of: Callable[[Any, Subject], Any]
    both: Callable[[Any, Any], Any]
    nothing: Any


def _buckets(state: LeafState) -> Mapping[Any, Any]:
    days: Mapping[Any, Any] = state["b"]
    return days


def _itself(number: int, _: Subject) -> int:
    return number


def _sum(amounts: dict[str, str], who: Subject) -> Decimal:
    return who.worth(amounts)[0]


def _greatest(amounts: dict[str, str], who: Subject) -> Decimal | None:
    worth = (who.value(currency, amount) for currency, amount in amounts.items())
    return max((each for each in worth if each is not None), default=None)


def _greater(a: Decimal | None, b: Decimal | None) -> Decimal | None:
    return b if a is None else a if b is None else max(a, b)


COUNT = Measure(_buckets, _itself, add, 0)
SUM = Measure(_buckets, _sum, money.EXACT.add, Decimal(0))
MAX = Measure(_buckets, _greatest, _greater, None)
DISTINCT = Measure(
    lambda state: Counter(state["b"].values()), _itself, lambda a, b: min(a + b, MAX_DISTINCT), 0
)


class Window(NamedTuple):
    """A measure over a window, of a subject."""

    leaf: Leaf
    key: str
    measure: Measure
    context: Context

    def total(self, who: Subject) -> Any:
        """The measure of the days within."""
        if self.leaf.days:
            return self._suffixes(who)[0][1]
        state, (days, of, both, total) = leaf_of(who, self.key), self.measure
        if state is None:
            return total
        if self.key in who.totals:
            return who.totals[self.key]
        for remembered in days(state).values():
            total = both(total, of(remembered, who))
        who.totals[self.key] = total
        return total

    def next_change(self, answer: Callable[[Any], Any]) -> NextChange:
        """When an answer to the total changes by itself."""
        if not self.leaf.days:
            return never
        both = self._answer(answer)
        return lambda who: both(who)[1]

    def compiled(self, holds: Callable[[Any], bool]) -> Compiled:
        """The condition that the total passes."""
        if not self.leaf.days:
            return Compiled(lambda who: holds(self.total(who)), never)
        return both_of(self._answer(holds))

    def _answer(self, answer: Callable[[Any], Any]) -> Callable[[Subject], tuple[Any, int | None]]:
        """An answer to the total, and when it changes by itself."""
        suffixes_of, days, start_of = self._suffixes, self.leaf.days, self.context.calendar.start_of

        def both(who: Subject) -> tuple[Any, int | None]:
            suffixes = suffixes_of(who)
            now = answer(suffixes[0][1])
            for (day, _), (_, rest) in pairwise(suffixes):
                if answer(rest) != now:
                    return now, later(start_of(day + days), who)
            return now, None

        return both

    def _suffixes(self, who: Subject) -> list[Day[Any]]:
        """The total from each day within on, the oldest first; of nothing at last."""
        known: list[Day[Any]] | None = who.totals.get(self.key)
        if known is not None:
            return known
        state, (days, of, both, total) = leaf_of(who, self.key), self.measure
        found: list[Day[Any]] = [(0, total)]
        if state is not None:
            after = who.today - self.leaf.days
            within = [(day, each) for name, each in days(state).items() if (day := int(name)) > after]
            if len(within) > 1:
                within.sort(key=_BY_DAY, reverse=True)
            for day, remembered in within:
                total = both(total, of(remembered, who))
                found.append((day, total))
            found.reverse()
        who.totals[self.key] = found
        return found


def window_of(node: c.Condition, measure: Measure, context: Context) -> Window:
    """The window of a node that has one leaf."""
    (leaf,) = leaves_of(node)
    return Window(leaf, context.key_of(leaf), measure, context)


def bounded(least: Any, most: Any) -> Callable[[Any], bool]:
    """Whether a number lies between bounds, both among them, where there are any."""
    if most is None:
        return partial(le, least)
    if least is None:
        return partial(ge, most)
    return lambda number: bool(least <= number <= most)


def did(of: c.DidOf, context: Context) -> Compiled:
    """How often events happened."""
    window = window_of(c.Did(did=of), COUNT, context)
    if of.exactly is not None:
        return window.compiled(bounded(of.exactly, of.exactly))
    least = 1 if of.at_least is None and of.at_most is None else of.at_least
    return window.compiled(bounded(least, of.at_most))


def sum_(node: c.Sum, context: Context) -> Compiled:
    """The sum of a property."""
    return window_of(node, SUM, context).compiled(bounded(node.sum.at_least, node.sum.at_most))


def max_(node: c.Max, context: Context) -> Compiled:
    """The greatest number of a property."""
    holds = bounded(node.max.at_least, node.max.at_most)
    return window_of(node, MAX, context).compiled(lambda most: most is not None and holds(most))


def distinct(node: c.Distinct, context: Context) -> Compiled:
    """How many different values."""
    holds = bounded(node.distinct.at_least, node.distinct.at_most)
    return window_of(node, DISTINCT, context).compiled(holds)


def span(of: c.TimeOf, end: int, context: Context) -> Compiled:
    """The first (0) or the last (1) time lies in a window."""
    key, calendar, within = context.key_of(Leaf("span", of.event, of.where)), context.calendar, of.within

    def day(who: Subject) -> int | None:
        state = leaf_of(who, key)
        return None if state is None else calendar.day_of(state["b"][end])

    if isinstance(within, c.Between):
        first, last = ((each - EPOCH).days for each in (within.from_, within.to))
        return Compiled(lambda who: (on := day(who)) is not None and first <= on <= last, never)
    recent = isinstance(within, c.LastDays)
    days = within.last_days if isinstance(within, c.LastDays) else within.more_than_days_ago

    def both(who: Subject) -> tuple[bool, int | None]:
        on = day(who)
        if on is None:
            return False, None
        ends = on + days
        passed = who.today >= ends
        return passed is not recent, None if passed else calendar.start_of(ends)

    return both_of(both)
