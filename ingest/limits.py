"""How much a source may send: a rate for each process, and a quota a day for the whole deployment. Pure.

Either is held with debt: a request is taken while there is anything left, however many events it has, and what it took
too much is waited for by the next. So no batch is too large to get through, and on average a limit is exact.
"""

from datetime import datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from ingest.problems import Problem
from ingest.usage import Tally

MAX_WAIT = 300
"""Seconds that an answer asks to wait, at most."""
STALE = 60_000
"""Ms that a request may be older than another that was seen before it; what is older still is a clock set back."""


class Limits:
    """Those of one source, and how far they are used. All instants are Unix ms."""

    __slots__ = ("_at", "_left", "_quota", "_rate", "_source", "_tally", "_timezone")

    def __init__(self, source: str, tally: Tally, timezone: str) -> None:
        self._source, self._tally, self._timezone = source, tally, timezone
        self._rate: int | None = None
        self._quota: int | None = None
        self._left, self._at = 0.0, 0

    def hold(self, rate: int | None, quota: int | None) -> None:
        """From now on these hold: events a second, and a day; a new rate begins with a second's worth."""
        if rate != self._rate:
            self._rate, self._left, self._at = rate, float(rate or 0), 0
        self._quota = quota

    def check(self, now: int) -> None:
        """Problem 429 where nothing more is taken at this instant; asked before a body is read."""
        if self._rate is not None:
            self._refill(now)
            if self._left <= 0:
                raise _problem(
                    "rate_limited", "this source sends faster than it may", -self._left / self._rate
                )
        if self._quota is not None and self._tally.used(self._source, now) >= self._quota:
            raise _problem("quota_exceeded", "this source has sent what it may send today", self._rest(now))

    def take(self, events: int, now: int) -> None:
        """Take so many events, however many; Problem 429, and none is taken, where nothing more is."""
        self.check(now)
        if self._rate is not None:
            self._left -= events
        if self._quota is not None:
            self._tally.add(self._source, events, now)

    def give_back(self, events: int, now: int) -> None:
        """Events that were taken did not get into the log: they do not count for the quota; their work was done."""
        if self._quota is not None:
            self._tally.add(self._source, -events, now)

    def _refill(self, now: int) -> None:
        assert self._rate is not None
        passed = now - self._at
        if passed > 0:
            self._left = min(float(self._rate), self._left + passed * self._rate / 1000)
        if passed > 0 or passed < -STALE:
            self._at = now

    def _rest(self, now: int) -> float:
        """Seconds to the end of the day."""
        at = datetime.fromtimestamp(now / 1000, ZoneInfo(self._timezone))
        tomorrow = datetime.combine(at.date() + timedelta(days=1), datetime.min.time(), at.tzinfo)
        return tomorrow.timestamp() - now / 1000


def _problem(code: str, message: str, seconds: float) -> Problem:
    return Problem(429, code, message, min(MAX_WAIT, max(1, ceil(seconds))))
