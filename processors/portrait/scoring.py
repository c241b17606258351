"""Value: three scores by published thresholds, and the tier of their sum."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from processors.portrait.compiled import Context, NextChange, earliest, later, never
from processors.portrait.subject import Scores, Subject
from processors.portrait.windows import COUNT, Window, window_of
from schemas.conditions import Did
from schemas.portrait import Thresholds, Value


class Scoring(NamedTuple):
    """A value definition, compiled under the thresholds in force, if any are."""

    frequency: Window
    thresholds: Thresholds | None
    tiers: tuple[tuple[str, int], ...]
    next_change: NextChange

    def scores(self, who: Subject) -> Scores | None:
        """Nobody ranks who never did anything of their own, nor where no thresholds are published."""
        own, reached = who.part["own_first"], self.thresholds
        if own is None or reached is None:
            return None
        return Scores(
            score(who.today - who.calendar.day_of(own), reached.relationship),
            score(self.frequency.total(who), reached.frequency),
            score(who.revenue()[0], reached.monetary),
        )

    def tier(self, scores: Scores) -> str:
        """The highest tier whose points are reached; the last takes none."""
        return next(tier for tier, points in self.tiers if sum(scores) >= points)


def scoring_of(value: Value, thresholds: Thresholds | None, context: Context) -> Scoring:
    """The compiled value."""
    frequency = window_of(Did(did=value.frequency), COUNT, context)
    tiers = tuple((tier.tier, tier.points) for tier in value.tiers)
    change: NextChange = never
    if thresholds is not None:
        change = earliest(
            [
                _older(thresholds.relationship, context),
                frequency.next_change(lambda number: score(number, thresholds.frequency)),
            ]
        )
    return Scoring(frequency, thresholds, tiers, change)


def score(measure: Any, thresholds: Sequence[Any]) -> int:
    """1, and one more for each threshold that is passed."""
    return 1 + sum(bool(measure > threshold) for threshold in thresholds)


def _older(thresholds: Sequence[int], context: Context) -> NextChange:
    def change(who: Subject) -> int | None:
        own = who.part["own_first"]
        if own is None:
            return None
        first = context.calendar.day_of(own)
        days = min((first + days + 1 for days in thresholds if first + days >= who.today), default=None)
        return None if days is None else later(context.calendar.start_of(days), who)

    return change
