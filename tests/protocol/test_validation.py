"""Points 23 to 28: which events are accepted."""

from typing import Any

import orjson
import pytest

from tests.protocol.seen import Seen


def track(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Visit", "userId": "u1", "messageId": name} | more


def sized(name: str, size: int) -> bytes:
    """A track of so many bytes."""
    shell = orjson.dumps(track(name, properties={"x": ""}))
    return shell.replace(b'"x":""', b'"x":"' + b"y" * (size - len(shell)) + b'"')


@pytest.mark.parametrize(
    "who", [{}, {"userId": None}, {"userId": "", "anonymousId": ""}, {"userId": "guest"}]
)
def test_23_somebody_must_be_named(ingest: Seen, who: dict[str, Any]) -> None:
    answer, (record,) = ingest.refused({"event": "Visit"} | who)
    assert (answer.status, answer.body["code"], record.headers["reason"]) == (
        400,
        "no_identifier",
        "no_identifier",
    )


def test_23_any_identifier_will_do(ingest: Seen) -> None:
    card = {"context": {"externalIds": [{"type": "membership_card", "id": "4711"}]}}
    known: dict[str, dict[str, Any]] = {
        "user": {"userId": "u1"},
        "visitor": {"anonymousId": "a1"},
        "card": card,
    }
    for name, who in known.items():
        assert ingest.taken({"event": "Visit", "messageId": name} | who).identifiers
    mail = ingest.taken({"messageId": "mail", "traits": {"email": "Ada@Example.com"}}, "/v1/identify")
    assert mail.identifiers == {"email": ["ada@example.com"]}


@pytest.mark.parametrize(
    ("kind", "fields", "word"),
    [
        ("track", {"userId": "u1"}, "event"),
        ("track", {"userId": "u1", "event": ""}, "event"),
        ("alias", {"userId": "u1"}, "previousId"),
        ("alias", {"previousId": "u1", "anonymousId": "a1"}, "userId"),
        ("group", {"userId": "u1"}, "groupId"),
    ],
)
def test_24_each_type_needs_what_it_is_about(
    ingest: Seen, kind: str, fields: dict[str, Any], word: str
) -> None:
    answer, (record,) = ingest.refused(fields, f"/v1/{kind}")
    assert (answer.status, answer.body["code"], record.headers["reason"]) == (400, "invalid", "invalid")
    assert word in answer.body["message"]


def test_25_an_event_has_at_most_32_kib(ingest: Seen) -> None:
    assert ingest.client.post("/v1/track", sized("32 KiB", 32 * 1024)).status == 200
    assert ingest.one("32 KiB")
    answer, records = ingest.refused(sized("more", 32 * 1024 + 1))
    assert (answer.status, answer.body["code"], len(records)) == (400, "too_large", 1)


def test_26_a_batch_has_at_most_2500_events(ingest: Seen) -> None:
    events, rejected = ingest.count()
    batch = [{"type": "page", "userId": f"u{n}"} for n in range(2_500)]
    assert ingest.client.post("/v1/batch", {"batch": batch}).status == 200
    assert ingest.count() == (events + 2_500, rejected)
    answer, records = ingest.refused({"batch": [*batch, batch[0]]}, "/v1/batch")
    assert (answer.status, answer.body["code"], len(records)) == (400, "too_large", 1)


def test_26_a_batch_has_512000_bytes_and_its_envelope(ingest: Seen) -> None:
    """Some SDKs count to 500 KB and overshoot by the last event."""
    batch = b",".join(sized(f"big {n}", 32_000 - 1) for n in range(17))
    body = b'{"batch":[' + batch + b'],"sentAt":"2026-09-21T14:13:20Z"}'
    assert len(batch) > 512_000
    assert ingest.client.post("/v1/batch", body).status == 200
    assert all(ingest.of(f"big {n}") for n in range(17))
    answer, (record,) = ingest.refused(b'{"batch":[' + batch + b"]}" + b" " * 2_000, "/v1/batch")
    assert (answer.status, answer.body["code"]) == (400, "too_large")
    assert record.value == body[: 32 * 1024]


def test_27_one_bad_event_never_rejects_its_batch(ingest: Seen) -> None:
    bad = [
        {"type": "track", "userId": "u1", "messageId": "bad one"},
        5,
        {"type": "unheard of", "userId": "u1"},
    ]
    before = ingest.count()
    batch = [track("good one"), *bad, track("good two")]
    answer = ingest.client.post("/v1/batch", {"batch": batch})
    assert (answer.status, answer.body) == (200, {"success": True})
    assert ingest.count() == (before[0] + 2, before[1] + 3)
    assert ingest.of("good one")
    assert ingest.of("good two")
    records = ingest.rejected[before[1] :]
    assert [orjson.loads(record.value) for record in records] == bad
    assert [record.headers["reason"] for record in records] == ["invalid"] * 3
    assert [record.headers["message_id"] for record in records] == ["bad one", "", ""]


def test_28_an_event_without_a_message_id_is_given_one(ingest: Seen) -> None:
    events, _ = ingest.count()
    nameless = [
        {"type": "track", "event": "Nameless", "userId": "u1"} | more for more in ({}, {"messageId": ""})
    ]
    assert ingest.client.post("/v1/batch", {"batch": nameless * 2}).status == 200
    assert ingest.client.post("/v1/track", nameless[0]).status == 200
    ingest.read()
    found = [event.message_id for event in ingest.events[events:] if event.name == "Nameless"]
    assert len(set(found)) == len(found) == 5
    assert all(found)


def test_28_a_message_id_has_at_most_100_characters(ingest: Seen) -> None:
    assert ingest.taken(track("x" * 100))
    answer, records = ingest.refused(track("x" * 101))
    assert (answer.status, answer.body["code"], len(records)) == (400, "invalid", 1)
    assert ingest.client.post("/v1/batch", {"batch": [track("x" * 101), track("beside it")]}).status == 200
    assert ingest.one("beside it")
