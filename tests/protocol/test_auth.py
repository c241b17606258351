"""Points 9 to 13: where SDKs put their write key."""

from base64 import b64encode

import pytest

from tests.ingest.servers import Client
from tests.protocol.seen import SHOP, Seen


def message(name: str) -> dict[str, str]:
    return {"type": "track", "event": "Visit", "userId": "u1", "messageId": name}


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(text.encode()).decode()}


def test_09_basic_with_an_empty_password(ingest: Seen) -> None:
    bare = ingest.client.without_key()
    assert bare.post("/v1/track", message("basic"), **basic(f"{SHOP}:")).status == 200
    assert ingest.one("basic").source == "shop"


def test_10_the_body_alone(ingest: Seen) -> None:
    bare = ingest.client.without_key()
    assert bare.post("/v1/track", message("body alone") | {"writeKey": SHOP}).status == 200
    assert bare.post("/v1/batch", {"batch": [message("batch alone")], "writeKey": SHOP}).status == 200
    for name in ("body alone", "batch alone"):
        event = ingest.one(name)
        assert event.source == "shop"
        assert SHOP not in event.model_dump_json()


def test_11_basic_alone(ingest: Seen) -> None:
    assert "writeKey" not in message("basic alone")
    bare = ingest.client.without_key()
    for text in (SHOP, f"{SHOP}:", f"{SHOP}:any password"):
        assert bare.post("/v1/batch", {"batch": [message(text)]}, **basic(text)).status == 200
        assert ingest.one(text)


def test_12_a_header_or_the_query(ingest: Seen) -> None:
    bare = ingest.client.without_key()
    assert bare.post("/v1/track", message("header"), X_Write_Key=SHOP).status == 200
    assert bare.post(f"/v1/track?writeKey={SHOP}", message("query")).status == 200
    assert bare.post(f"/v1/b?x=1&writeKey={SHOP}", {"batch": [message("batch query")]}).status == 200
    assert all(map(ingest.of, ("header", "query", "batch query")))


@pytest.mark.parametrize("key", [None, "nobodys-key", "ключ", "k" * 5_000])
def test_13_an_unknown_key_is_401_and_nothing_is_stored(ingest: Seen, key: str | None) -> None:
    before = ingest.count()
    stranger = Client(ingest.settings, key=key)
    for path, body in (
        ("/v1/track", message("m")),
        ("/v1/track", message("m") | {"writeKey": key}),
        ("/v1/track", {"userId": "guest", "event": "Visit"}),
        ("/v1/batch", {"batch": [message("m"), 5]}),
        ("/v1/batch", {}),
    ):
        answer = stranger.post(path, body)
        assert (answer.status, answer.body["success"], answer.body["code"]) == (401, False, "unauthorized")
    assert stranger.post("/v1/batch", b"{broken").status in (400, 401)
    assert stranger.post("/v1/batch", b"x" * 600_000).status in (400, 401)
    assert stranger.post("/v1/track", message("m"), Authorization="Basic %%%").status == 401
    assert ingest.count() == before


def test_13_a_disabled_source_is_404_and_nothing_is_stored(ingest: Seen) -> None:
    before = ingest.count()
    key = "key-of-the-old-site"
    old = Client(ingest.settings, key)
    in_body = ingest.client.without_key().post("/v1/track", message("m") | {"writeKey": key})
    for answer in (old.post("/v1/track", message("m")), old.post("/v1/batch", b"{broken"), in_body):
        assert (answer.status, answer.body["code"]) == (404, "source_disabled")
    assert ingest.count() == before
