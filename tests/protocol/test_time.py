"""Points 37 to 41: when it happened, and that it happened once."""

import random
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from tests.processors.events import Said
from tests.processors.machine import library
from tests.processors.world import World
from tests.protocol.seen import Seen

MINUTE = 60_000


def track(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Visit", "userId": "u1", "messageId": name} | more


def iso(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1000, UTC).isoformat(timespec="milliseconds")


def ago(minutes: int) -> int:
    return int(datetime.now(UTC).timestamp() * 1000) - minutes * MINUTE


def test_37_a_wrong_clock_is_corrected_by_what_it_said_when_sending(ingest: Seen) -> None:
    happened = ago(90)  # by a clock that is an hour slow and sends five minutes later
    event = ingest.taken(track("slow clock", timestamp=iso(happened), sentAt=iso(happened + 5 * MINUTE)))
    assert event.occurred_at == event.received_at - 5 * MINUTE
    assert event.original_timestamp == iso(happened)


def test_38_sent_at_is_on_the_envelope_the_event_or_a_header(ingest: Seen) -> None:
    at, said = ago(60), iso(ago(60))
    assert at
    stamped = {"timestamp": said}
    batch = [track("by envelope", **stamped), track("by event", **stamped, sentAt=iso(ago(55)))]
    assert ingest.client.post("/v1/batch", {"batch": batch, "sentAt": iso(ago(50))}).status == 200
    ingest.taken(track("by header", **stamped), SentAt=iso(ago(45)))
    header = {"batch": [track("batch by header", **stamped)]}
    assert ingest.client.post("/v1/batch", header, sentat=iso(ago(45))).status == 200
    for name, minutes in {"by envelope": 10, "by event": 5, "by header": 15, "batch by header": 15}.items():
        event = ingest.one(name)
        assert round((event.received_at - event.occurred_at) / MINUTE) == minutes, name


@pytest.mark.parametrize(
    "sent_at", [None, "", "soon", "1970-01-01T00:00:00Z", "2038-01-19T03:14:07Z", {}, True]
)
def test_39_a_missing_or_absurd_sent_at_corrects_nothing(ingest: Seen, sent_at: object) -> None:
    happened = ago(30)
    event = ingest.taken(track(f"sent {sent_at}", timestamp=iso(happened), sentAt=sent_at))
    assert event.occurred_at == happened


def test_40_all_four_times_are_kept(ingest: Seen) -> None:
    happened, sent = ago(40), ago(38)
    event = ingest.taken(track("four times", timestamp=iso(happened), sentAt=iso(sent)))
    assert event.original_timestamp == iso(happened)
    assert event.sent_at == sent
    assert abs(event.received_at - ago(0)) < MINUTE
    assert event.occurred_at == event.received_at - (sent - happened)


def test_40_what_some_sdks_call_the_original_timestamp_is_the_timestamp(ingest: Seen) -> None:
    happened = ago(40)
    event = ingest.taken(track("original", originalTimestamp=iso(happened)))
    assert (event.occurred_at, event.original_timestamp) == (happened, iso(happened))


def test_41_the_same_batch_sent_ten_times_has_one_effect(ingest: Seen) -> None:
    orders = [
        track(
            f"order {n}",
            userId="twin",
            event="Order Completed",
            properties={"order_id": str(n), "total": "9.50"},
        )
        for n in range(3)
    ]
    batch = [
        *orders,
        track("visit", userId="twin"),
        track("plan", userId="twin") | {"traits": {"plan": "pro"}},
    ]
    ingest.read()
    start = len(ingest.records)
    for _ in range(10):
        assert ingest.client.post("/v1/batch", {"batch": batch}).status == 200
    ingest.read()
    log = ingest.records[start:]
    assert len(log) == 50
    said = [Said(record.key, record.value, record.headers["keys"]) for record in log]
    once = World(library(), 4, "identity/default/1").say(said[:5]).run(random.Random(41), crash=0)
    ten_times = World(library(), 4, "identity/default/1").say(said).run(random.Random(41), crash=0)
    (told,), (expected,) = ten_times.states().values(), once.states().values()
    (part,) = told["parts"].values()
    assert (part["events"], part["books"]["totals"]["purchases"]) == (5, 3)
    assert orjson.dumps(told["parts"]) == orjson.dumps(expected["parts"])
    assert len(ten_times.changes) == len(once.changes)
