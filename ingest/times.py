"""Instants as senders write them, and what they mean by the server's clock. Pure; Unix milliseconds, UTC."""

from datetime import UTC, datetime
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST, LATEST = -62_135_596_800_000, 253_402_300_799_999
"""Years 1 to 9999."""

FUTURE = 5 * 60_000
"""An event dated later than its arrival plus this is taken as of its arrival."""

SKEW = 7 * 86_400_000
"""A clock may be wrong by this (time zones, a wrong date). A `sentAt` further off is a replayed body or a device
that never knew the time, and nothing is corrected by it."""


def instant(value: Any) -> int:
    """The instant of an ISO 8601 text (without an offset: UTC) or a Unix time, else ValueError.

    A Unix time is in seconds, milliseconds, microseconds or nanoseconds, told apart by size.
    """
    if type(value) is str:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        since = moment - EPOCH
        return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not an instant")
    return _unix(value)


def _unix(value: float) -> int:
    size = abs(value)
    for limit, factor in ((1e11, 1000.0), (1e14, 1.0), (1e17, 1e-3), (1e20, 1e-6)):
        if size < limit:
            return check(int(value * factor))
    raise ValueError("not an instant")


def check(at: int) -> int:
    """`at` itself where it lies in the years 1 to 9999, else ValueError."""
    if not EARLIEST <= at <= LATEST:
        raise ValueError("not an instant")
    return at


def sent(value: Any) -> int | None:
    """A `sentAt` as an instant; None where there is none that can be read."""
    try:
        return None if value is None else instant(value)
    except (ValueError, OverflowError):
        return None


def skew(sent_at: int | None, received_at: int) -> int:
    """What to add to a sender's instants: `received_at - sentAt`, or 0 where that is missing or absurd."""
    if sent_at is None:
        return 0
    difference = received_at - sent_at
    return difference if -SKEW <= difference <= SKEW else 0
