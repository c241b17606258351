"""Calendar days of the deployment's time zone, as day numbers since 1970-01-01. Pure; answers are remembered."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from schemas.topics import DAY_MS

EPOCH = date(1970, 1, 1)
_YEAR_ONE = (EPOCH - date.min).days
_LAST_DAY = (date.max - date.min).days
_QUARTER_MS = 15 * 60_000
"""Offsets of time zones change on quarter hours at the finest, in every year since 1972."""
_FIRST_QUARTER = (2 - _YEAR_ONE) * DAY_MS // _QUARTER_MS
_LAST_QUARTER = (_LAST_DAY - _YEAR_ONE - 2) * DAY_MS // _QUARTER_MS
"""Within these, the local time is one that `datetime` knows."""


class Calendar:
    """`day_of` an instant and the instant at which a day begins, in one time zone."""

    def __init__(self, timezone: str) -> None:
        self.zone = ZoneInfo(timezone)
        self.is_utc = timezone in ("UTC", "Etc/UTC")
        self._offset = lru_cache(maxsize=8_192)(self._offset_ms)
        self.start_of = lru_cache(maxsize=8_192)(self._start_of)

    def day_of(self, at: int) -> int:
        """The local day in which an instant (Unix ms) lies."""
        if self.is_utc:
            return at // DAY_MS
        return (at + self._offset(at // _QUARTER_MS)) // DAY_MS

    def after(self, at: int, days: int) -> int:
        """The instant from which "`days` days after `at`" is true: 00:00 local of that day."""
        return self.start_of(self.day_of(at) + days)

    def _offset_ms(self, quarter: int) -> int:
        known = min(max(quarter, _FIRST_QUARTER), _LAST_QUARTER)
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=known * _QUARTER_MS)
        offset = moment.astimezone(self.zone).utcoffset()
        return int(offset.total_seconds() * 1000) if offset else 0

    def _start_of(self, day: int) -> int:
        if self.is_utc or not 0 < day + _YEAR_ONE < _LAST_DAY:
            return day * DAY_MS  # beyond what `datetime` knows: "no end" is often written 9999-12-31
        midnight = datetime.combine(EPOCH + timedelta(days=day), datetime.min.time(), tzinfo=self.zone)
        return int(midnight.timestamp() * 1000)


def day_number(iso: str) -> int:
    """The day number of an ISO date."""
    return (date.fromisoformat(iso) - EPOCH).days
