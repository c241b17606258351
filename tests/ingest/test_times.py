from typing import Any

import pytest

from ingest import times
from schemas.event import Event
from tests.ingest.desks import NOW, event, refusal, take

DAY = 86_400_000


@pytest.mark.parametrize(
    ("written", "millis"),
    [
        ("2026-09-21T14:13:20Z", NOW),
        ("2026-09-21T14:13:20.123Z", NOW + 123),
        ("2026-09-21T14:13:20.123456Z", NOW + 123),
        ("2026-09-21T14:13:20.123456789Z", NOW + 123),
        ("2026-09-21T16:13:20+02:00", NOW),
        ("2026-09-21 14:13:20", NOW),
        ("2026-09-21", NOW - 51_200_000),
        ("1969-12-31T23:59:59.999Z", -1),
        (NOW // 1000, NOW),
        (NOW, NOW),
        (NOW * 1000, NOW),
        (NOW / 1000, NOW),
        (0, 0),
    ],
)
def test_instants_are_read_in_every_form_that_senders_use(written: object, millis: int) -> None:
    assert times.instant(written) == millis


@pytest.mark.parametrize(
    "written",
    ["", "yesterday", "NaN", "2026-13-01", True, [], {}, float("nan"), float("inf"), 10**30, -(10**14) + 1],
)
def test_what_is_no_instant_is_said_to_be_none(written: object) -> None:
    with pytest.raises((ValueError, OverflowError)):
        times.instant(written)


def stamped(timestamp: object, sent_at: object = None, **envelope: Any) -> Event:
    message = {"type": "track", "event": "Visit", "userId": "u1", "timestamp": timestamp}
    return event(message | ({"sentAt": sent_at} if sent_at is not None else {}), **envelope)


def test_a_wrong_clock_is_corrected_by_what_it_said_when_sending() -> None:
    found = stamped("2026-09-21T13:00:00Z", "2026-09-21T13:00:05Z")  # 73 minutes slow
    assert (found.occurred_at, found.sent_at) == (NOW - 5_000, NOW - 4_395_000)
    assert (found.received_at, found.original_timestamp) == (NOW, "2026-09-21T13:00:00Z")


def test_the_event_knows_better_than_the_envelope_and_that_better_than_the_header() -> None:
    assert stamped("2026-09-21T13:00:00Z", sentAt="2026-09-21T13:00:07Z").occurred_at == NOW - 7_000
    both = stamped("2026-09-21T13:00:00Z", "2026-09-21T13:00:05Z", sentAt="2026-09-21T13:00:07Z")
    assert both.occurred_at == NOW - 5_000
    body = b'{"event":"Visit","userId":"u1","timestamp":"2026-09-21T13:00:00Z"}'
    ((_, value),) = take(body, "track", header="2026-09-21T13:00:03Z").events
    assert Event.model_validate_json(value).occurred_at == NOW - 3_000


@pytest.mark.parametrize("sent_at", ["1970-01-01T00:00:00Z", "2036-09-21T14:13:20Z", "soon", "NaN", True, {}])
def test_an_absurd_sent_at_corrects_nothing(sent_at: object) -> None:
    assert stamped("2026-09-21T13:00:00Z", sent_at).occurred_at == NOW - 4_400_000


def test_history_stays_where_it_was_and_the_future_becomes_the_arrival() -> None:
    assert stamped("1997-01-01T00:00:00Z", "2026-09-21T14:13:20Z").occurred_at == 852_076_800_000
    assert stamped("2036-01-01T00:00:00Z").occurred_at == NOW
    assert stamped("2026-09-21T14:18:20Z").occurred_at == NOW + times.FUTURE
    assert stamped("2026-09-21T14:18:20.001Z").occurred_at == NOW


def test_no_timestamp_is_the_arrival() -> None:
    found = stamped(None)
    assert (found.occurred_at, found.original_timestamp, found.sent_at) == (NOW, None, None)


def test_some_sdks_call_it_the_original_timestamp() -> None:
    message = {"type": "track", "event": "Visit", "userId": "u1", "originalTimestamp": "2026-09-21T13:00:00Z"}
    found = event(message, sentAt="2026-09-21T13:00:05Z")
    assert (found.occurred_at, found.original_timestamp) == (NOW - 5_000, "2026-09-21T13:00:00Z")


def test_a_timestamp_that_is_none_is_refused_and_not_guessed() -> None:
    found = refusal({"type": "track", "event": "Visit", "userId": "u1", "timestamp": "yesterday"})
    assert (found.reason, found.detail.split(",")[0]) == ("invalid", "timestamp is not an instant")


def test_a_corrected_instant_stays_within_the_years_that_the_log_can_hold() -> None:
    message = {"type": "track", "event": "Visit", "userId": "u1", "timestamp": "0001-01-01T00:00:00Z"}
    assert refusal(message, sentAt="2026-09-21T20:00:00Z").reason == "invalid"
    assert stamped("0001-01-01T00:00:00Z").occurred_at == times.EARLIEST
