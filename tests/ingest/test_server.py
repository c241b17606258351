import gzip
import socket
import zlib
from typing import Any

import orjson
import pytest

from schemas.event import Event
from schemas.rejected import HEADERS
from schemas.settings import Settings
from schemas.topics import EVENTS, REJECTED, partition_of
from tests.ingest.desks import KEYS
from tests.ingest.servers import Client, read

TRACK = {"event": "Visit", "userId": "u1"}
Server = tuple[Settings, Client]


def message(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Visit", "userId": "u1", "messageId": name} | more


def logged(settings: Settings, name: str) -> list[Event]:
    found = [Event.model_validate_json(record.value) for record in read(settings, EVENTS)]
    return [event for event in found if event.message_id == name]


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("track", {"event": "Visit"}),
        ("identify", {"traits": {"plan": "pro"}}),
        ("page", {"name": "Home"}),
        ("screen", {"name": "Home"}),
        ("group", {"groupId": "g1"}),
        ("alias", {"previousId": "u0"}),
    ],
)
def test_success_is_200_and_in_the_log(server: Server, kind: str, slash: str, fields: dict[str, Any]) -> None:
    settings, client = server
    name = f"{kind}{slash}"
    answer = client.post(f"/v1/{kind}{slash}", {"userId": "u1", "messageId": name} | fields)
    assert (answer.status, answer.body) == (200, {"success": True})
    (event,) = logged(settings, name)
    assert event.type == kind


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/batch/", "/v1/import"])
def test_a_batch_is_one_record_an_event_with_its_keys(server: Server, path: str) -> None:
    settings, client = server
    batch = [message(f"{path}{n}", anonymousId="a1", userId=f"{path}{n}") for n in range(300)]
    assert client.post(path, {"batch": batch, "sentAt": "2026-01-01T00:00:00Z"}).body == {"success": True}
    records = {orjson.loads(record.value)["message_id"]: record for record in read(settings, EVENTS)}
    for sent in batch:
        record = records[sent["messageId"]]
        key = KEYS.key("user_id", sent["userId"])[0]
        assert (record.key, record.partition) == (key, partition_of(key, settings.partitions))
        assert record.headers == {"keys": f"{key} {KEYS.key('anonymous_id', 'a1')[0]}"}
        assert record.timestamp == orjson.loads(record.value)["received_at"]


# --- who may send


def test_a_write_key_is_found_wherever_an_sdk_puts_it(server: Server) -> None:
    settings, client = server
    bare = Client(settings, key=None)
    assert client.post("/v1/track", TRACK).status == 200
    assert bare.post("/v1/track", TRACK | {"writeKey": "local-shop-write-key"}).status == 200
    assert bare.post("/v1/batch", {"batch": [message("m")], "writeKey": "local-shop-write-key"}).status == 200
    assert bare.post("/v1/track", TRACK, X_Write_Key="local-shop-write-key").status == 200
    assert bare.post("/v1/track?writeKey=local-shop-write-key", TRACK).status == 200


def test_who_is_unknown_is_refused_and_nothing_of_it_is_stored(server: Server) -> None:
    settings, client = server
    before = len(read(settings, REJECTED))
    for key in (None, "wrong-write-key"):
        stranger = Client(settings, key=key)
        answer = stranger.post("/v1/track", TRACK)
        assert (answer.status, answer.body["success"], answer.body["code"]) == (401, False, "unauthorized")
        assert stranger.post("/v1/batch", b"{broken").status in (400, 401)
        assert stranger.post("/v1/track", {"userId": "guest", "event": "Visit"}).status == 401
    assert client.post("/v1/track", TRACK, Authorization="Basic %%%").status == 401
    assert len(read(settings, REJECTED)) == before


# --- what is not accepted


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/track", b"", "malformed"),
        ("/v1/track", b"{broken", "malformed"),
        ("/v1/track", b"[]", "malformed"),
        ("/v1/track", b"\xff\xfe{}", "malformed"),
        ("/v1/track", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "too_large"),
        ("/v1/track", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "malformed"),
        ("/v1/track", b'{"event":"Visit"}', "no_identifier"),
        ("/v1/track", b'{"userId":"u1"}', "invalid"),
        ("/v1/track", b'{"userId":"u1","event":"a\\u0000"}', "invalid"),
        ("/v1/batch", b'{"events":[]}', "invalid"),
        ("/v1/batch", b'{"batch":[' + b"1," * 2_500 + b"1]}", "too_large"),
        ("/v1/batch", b"x" * 600_000, "too_large"),
        ("/v1/batch", b"x" * 3_000_000, "too_large"),
    ],
)
def test_what_is_malformed_is_400_and_in_the_rejected_topic(
    server: Server, path: str, body: bytes, code: str
) -> None:
    settings, client = server
    before = len(read(settings, REJECTED))
    answer = client.post(path, body)
    assert (answer.status, answer.body["success"], answer.body["code"]) == (400, False, code)
    record = read(settings, REJECTED)[before]
    assert (record.key, record.headers["reason"], record.headers["where"]) == ("shop", code, "ingest")
    assert tuple(record.headers) == HEADERS._fields
    assert record.value == (body if len(body) < 545_000 else body[: 32 * 1024])


def test_one_bad_event_is_rejected_and_its_batch_is_in(server: Server) -> None:
    settings, client = server
    before = len(read(settings, REJECTED))
    bad = {"type": "track", "userId": "u1", "messageId": "bad one"}
    assert client.post("/v1/batch", {"batch": [message("good one"), bad]}).status == 200
    assert logged(settings, "good one")
    (record,) = read(settings, REJECTED)[before:]
    assert (orjson.loads(record.value), record.headers["message_id"]) == (bad, "bad one")


def test_no_answer_is_one_that_sdks_take_amiss(server: Server) -> None:
    settings, client = server
    bare = Client(settings, key=None)
    answers = [
        client.get("/nowhere"), client.get("/v1/track"), client.post("/v1/nothing", {}), client.post("/v2/track", {}),
        client.post("/health", {}), client.post("/v1/track", b"x", Content_Encoding="br"), bare.post("/v1/track", b"["),
        client.post("/v1/track", b"x", Content_Encoding="gzip"), client.post("/v1/track//", {}),
    ]  # fmt: skip
    for answer in answers:
        assert answer.status in (400, 401, 404, 405)
        assert set(answer.body) == {"success", "code", "message"}
        assert answer.body["success"] is False


# --- bodies


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_a_body_is_json_whatever_it_says_it_is(server: Server, kind: str) -> None:
    assert server[1].post("/v1/track", TRACK, Content_Type=kind).status == 200


def test_gzip_and_chunks_are_read(server: Server) -> None:
    settings, client = server
    body = orjson.dumps({"batch": [message("in gzip", properties={"x": "y" * 30_000})]})
    assert client.post("/v1/batch", gzip.compress(body), Content_Encoding="gzip").status == 200
    assert logged(settings, "in gzip")
    chunked = orjson.dumps(message("in chunks"))
    assert client.post("/v1/track", iter([chunked[:9], chunked[9:]])).status == 200
    assert logged(settings, "in chunks")


def test_a_gzip_bomb_is_inflated_no_further_than_the_limit(server: Server) -> None:
    deflate = zlib.compressobj(9, wbits=31)
    bomb = b"".join(deflate.compress(bytes(1_000_000)) for _ in range(400)) + deflate.flush()
    assert len(bomb) < 500_000
    answer = server[1].post("/v1/batch", bomb, Content_Encoding="gzip")
    assert (answer.status, answer.body["code"]) == (400, "too_large")
    cut = gzip.compress(orjson.dumps(TRACK))[:-9]
    assert server[1].post("/v1/track", cut, Content_Encoding="gzip").body["code"] == "malformed"


def test_who_goes_away_in_the_middle_of_a_body_harms_nobody(server: Server) -> None:
    settings, client = server
    with socket.create_connection((settings.ingest_host, settings.ingest_port)) as connection:
        connection.sendall(b"POST /v1/track HTTP/1.1\r\nHost: x\r\nX-Write-Key: local-shop-write-key\r\n")
        connection.sendall(b"Content-Length: 1000\r\n\r\n{")
    assert client.post("/v1/track", TRACK).status == 200


def test_metrics_count_events_and_reasons(server: Server) -> None:
    page = server[1].get("/metrics").body.decode()
    for line in (
        "cdp_ingest_accepted_total",
        'cdp_ingest_rejected_total{reason="malformed"}',
        "cdp_ingest_seconds_bucket",
    ):
        assert line in page
