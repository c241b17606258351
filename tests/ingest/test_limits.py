import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.limits import Limits
from ingest.problems import Problem
from ingest.usage import Tally

NOON = 1_789_992_000_000
"""2026-09-21T12:00:00Z."""


def limits(
    rate: int | None = None, quota: int | None = None, tally: Tally | None = None, zone: str = "UTC"
) -> Limits:
    found = Limits("till", tally or Tally("me", zone), zone)
    found.hold(rate, quota)
    return found


def refused(found: Limits, now: int) -> tuple[str, int] | None:
    """The code and the seconds to wait, None where a request is taken."""
    try:
        found.check(now)
    except Problem as problem:
        told = problem
    else:
        return None
    assert told.status == 429
    assert type(told.retry_after) is int
    assert 1 <= told.retry_after <= 300
    return told.code, told.retry_after


def test_without_limits_everything_is_taken() -> None:
    found = limits()
    found.take(10**9, NOON)
    assert refused(found, NOON) is None


def test_a_rate_is_a_seconds_worth_at_once_and_then_its_pace() -> None:
    found = limits(rate=10)
    for _ in range(10):
        found.take(1, NOON)
    assert refused(found, NOON) == ("rate_limited", 1)
    assert refused(found, NOON + 99) is None
    found.take(1, NOON + 1_000)
    assert refused(found, NOON + 1_000) is None


def test_a_batch_larger_than_the_bucket_gets_through_and_is_paid_for_after() -> None:
    found = limits(rate=10)
    found.take(2_500, NOON)
    assert refused(found, NOON) == ("rate_limited", 249)
    assert refused(found, NOON + 249_000) == ("rate_limited", 1)
    assert refused(found, NOON + 249_001) is None
    found.take(2_500, NOON + 249_001)


def test_who_is_refused_takes_nothing() -> None:
    found = limits(rate=10)
    found.take(11, NOON)
    for _ in range(100):
        with pytest.raises(Problem):
            found.take(1_000, NOON)
    assert refused(found, NOON) == ("rate_limited", 1)


def test_nobody_is_asked_to_wait_longer_than_sdks_do() -> None:
    found = limits(rate=1)
    found.take(2_500, NOON)
    assert refused(found, NOON) == ("rate_limited", 300)


@given(st.integers(1, 500), st.lists(st.tuples(st.integers(1, 2_500), st.integers(0, 5_000)), max_size=60))
def test_on_average_a_rate_is_never_passed_but_by_one_batch(rate: int, sent: list[tuple[int, int]]) -> None:
    found, now, taken, largest = limits(rate=rate), NOON, 0, 0
    for events, later in sent:
        now += later
        if refused(found, now) is None:
            found.take(events, now)
            taken, largest = taken + events, max(largest, events)
    assert taken <= rate + rate * (now - NOON) / 1000 + largest


def test_a_changed_rate_holds_and_an_unchanged_one_forgives_nothing() -> None:
    found = limits(rate=10)
    found.take(1_000, NOON)
    found.hold(10, None)
    assert refused(found, NOON) is not None
    found.hold(20, None)
    assert refused(found, NOON) is None
    found.hold(None, None)
    found.take(10**6, NOON)
    assert refused(found, NOON) is None


def test_a_request_that_came_slowly_gives_nothing_twice_and_a_clock_set_back_stops_nobody() -> None:
    found = limits(rate=10)
    found.take(10, NOON)
    assert refused(found, NOON - 9_000) is not None
    assert refused(found, NOON) is not None
    back = NOON - 3_600_000
    assert refused(found, back) is not None
    assert refused(found, back + 1_000) is None


def test_a_quota_is_a_days_and_the_day_is_the_deployments() -> None:
    found = limits(quota=100, zone="Asia/Shanghai")  # where it is 20:00
    found.take(60, NOON)
    found.take(60, NOON)
    assert refused(found, NOON) == ("quota_exceeded", 300)
    midnight = NOON + 4 * 3_600_000
    assert refused(found, midnight - 90_000) == ("quota_exceeded", 90)
    assert refused(found, midnight - 1) == ("quota_exceeded", 1)
    assert refused(found, midnight) is None


def test_what_did_not_get_into_the_log_does_not_count_for_the_quota() -> None:
    found = limits(quota=100)
    found.take(100, NOON)
    assert refused(found, NOON) is not None
    found.give_back(100, NOON)
    assert refused(found, NOON) is None


def test_a_quota_is_held_against_what_all_processes_took() -> None:
    ours, theirs = Tally("ours", "UTC"), Tally("theirs", "UTC")
    found, other = limits(quota=100, tally=ours), limits(quota=100, tally=theirs)
    found.take(40, NOON)
    other.take(60, NOON)
    assert refused(found, NOON) is None
    for key, value in theirs.unwritten().items():
        ours.apply(key, value)
    assert refused(found, NOON) == ("quota_exceeded", 300)
