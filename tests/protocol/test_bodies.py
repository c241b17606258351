"""Points 14 to 22: what a body is, and what of it survives."""

import gzip
import zlib
from typing import Any

import orjson
import pytest

from tests.protocol.seen import Seen

TRACK = {"type": "track", "event": "Visit", "userId": "u1"}


def message(name: str, **more: Any) -> dict[str, Any]:
    return TRACK | {"messageId": name} | more


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/form-data", "\xff"],
)
def test_14_a_body_is_json_whatever_it_says_it_is(ingest: Seen, kind: str) -> None:
    ingest.taken(message(f"as {kind}"), Content_Type=kind)


def test_15_gzip_is_inflated(ingest: Seen) -> None:
    body = orjson.dumps({"batch": [message("in gzip", properties={"x": "y" * 30_000})]})
    assert ingest.client.post("/v1/batch", gzip.compress(body), Content_Encoding="gzip").status == 200
    assert ingest.one("in gzip")
    cut = gzip.compress(orjson.dumps(TRACK))[:-9]
    for broken in (cut, b"no gzip", b""):
        answer, (record,) = ingest.refused(broken, Content_Encoding="gzip")
        assert (answer.status, answer.body["code"], record.value) == (400, "malformed", broken)
    answer, (record,) = ingest.refused(orjson.dumps(TRACK), Content_Encoding="br")
    assert (answer.status, answer.body["code"], record.value) == (400, "malformed", orjson.dumps(TRACK))


def test_15_a_gzip_bomb_is_inflated_no_further_than_the_limit(ingest: Seen) -> None:
    deflate = zlib.compressobj(9, wbits=31)
    bomb = b"".join(deflate.compress(bytes(1_000_000)) for _ in range(100)) + deflate.flush()
    assert len(bomb) < 500_000
    answer, (record,) = ingest.refused(bomb, "/v1/batch", Content_Encoding="gzip")
    assert (answer.status, answer.body["code"]) == (400, "too_large")
    assert len(record.value) <= 32 * 1024


def test_16_a_body_may_come_in_chunks_of_no_stated_length(ingest: Seen) -> None:
    body = orjson.dumps(message("in chunks"))
    assert ingest.client.post("/v1/track", iter([body[:9], body[9:20], body[20:]])).status == 200
    assert ingest.one("in chunks")


def test_17_null_ids_are_legal(ingest: Seen) -> None:
    nulls = {
        "userId": None,
        "groupId": None,
        "previousId": None,
        "properties": None,
        "context": None,
        "sentAt": None,
    }
    event = ingest.taken(message("nulls", anonymousId="a1") | nulls)
    assert event.identifiers == {"anonymous_id": ["a1"]}
    assert ingest.taken(message("null visitor", anonymousId=None)).identifiers == {"user_id": ["u1"]}


def test_18_numeric_ids_become_strings(ingest: Seen) -> None:
    event = ingest.taken(
        {"event": "Visit", "userId": 12345678901234567, "anonymousId": 7.0, "messageId": 11}
        | {"context": {"device": {"id": 5}, "externalIds": [{"type": "membership_card", "id": 99}]}}
        | {"messageId": "numbers"}
    )
    assert event.identifiers == {
        "user_id": ["12345678901234567"],
        "anonymous_id": ["7"],
        "device_id": ["5"],
        "membership_card": ["99"],
    }
    assert ingest.client.post("/v1/track", message("") | {"messageId": 1811}).status == 200
    assert ingest.one("1811")
    group = ingest.taken({"userId": 1, "groupId": 42, "messageId": "group 42"}, "/v1/group")
    assert group.properties["groupId"] == "42"
    alias = ingest.taken({"userId": 2, "previousId": 3, "messageId": "alias 3"}, "/v1/alias")
    assert sorted(alias.identifiers["user_id"]) == ["2", "3"]


@pytest.mark.parametrize("said", ["track", "identify", None, 7])
def test_19_a_single_route_names_the_type(ingest: Seen, said: object) -> None:
    assert ingest.taken(message(f"said {said}") | {"type": said}, "/v1/p").type == "page"


def test_20_what_the_envelope_says_is_under_what_each_event_says(ingest: Seen) -> None:
    batch = [
        message("own", context={"app": {"name": "shop"}, "locale": "de"}, integrations={"All": True}),
        message("none"),
    ]
    context, integrations = {"locale": "en", "library": {"name": "x"}}, {"All": False, "Mixpanel": False}
    envelope = {"batch": batch, "context": context, "integrations": integrations}
    assert ingest.client.post("/v1/batch", envelope).status == 200
    assert ingest.one("own").context == {
        "app": {"name": "shop"},
        "locale": "de",
        "library": {"name": "x"},
        "original": {"integrations": {"All": True, "Mixpanel": False}},
    }
    assert ingest.one("none").context == {
        **context,
        "original": {"integrations": integrations},
    }


def test_21_unknown_fields_survive(ingest: Seen) -> None:
    unknown = {"_metadata": {"nodeVersion": "20"}, "channel": "server", "deep": [{"a": [None, 1.5, "ü"]}]}
    event = ingest.taken(message("unknown", properties={"x": {"y": 1}}, context={"odd": True}) | unknown)
    assert event.context == {"odd": True, "original": unknown}
    assert event.properties == {"x": {"y": 1}}


@pytest.mark.parametrize(
    ("stamp", "millis"),
    [
        ("2026-09-21T14:13:20Z", 0),
        ("2026-09-21T14:13:20.123Z", 123),
        ("2026-09-21T14:13:20.123456Z", 123),
        ("2026-09-21T14:13:20.123456789Z", 123),
        ("2026-09-21T16:13:20.123+02:00", 123),
        ("2026-09-21T09:13:20.123456-05:00", 123),
        (1_790_000_000_123, 123),
        (1_790_000_000_123_456, 123),
        (1_790_000_000_123_456_789, 123),
    ],
)
def test_22_instants_come_in_all_precisions_and_offsets(ingest: Seen, stamp: object, millis: int) -> None:
    event = ingest.taken(message(f"at {stamp}", timestamp=stamp))
    assert (event.occurred_at, event.original_timestamp) == (1_790_000_000_000 + millis, str(stamp))
