"""Points 29 to 34: answers that every SDK takes as they are meant."""

import http.client
import time
from pathlib import Path

import pytest

from deploy.init import init
from schemas.rejected import HEADERS
from tests.conftest import settings_for
from tests.ingest.servers import Client
from tests.processes import Process, running
from tests.protocol.raw import assert_told
from tests.protocol.seen import SHOP, Seen
from tests.servers import Broker
from tests.waiting import connects, until

TRACK = {"type": "track", "event": "Visit", "userId": "u1"}


def test_29_success_is_exactly_200(client: Client) -> None:
    for path, body in (
        ("/v1/track", TRACK),
        ("/v1/batch", {"batch": [TRACK]}),
        ("/v1/batch", {"batch": []}),
        ("/v1/import", {"batch": [TRACK, "not an event"]}),
        (f"/beacon/v1/batch?writeKey={SHOP}", {"batch": [TRACK]}),
    ):
        answer = client.post(path, body)
        assert (answer.status, answer.body) == (200, {"success": True})
        assert answer.headers["content-type"] == "application/json"


def test_30_errors_have_one_shape(client: Client) -> None:
    for answer, code in (
        (client.post("/v1/track", b"["), "malformed"),
        (client.post("/v1/track", b"x", Content_Encoding="br"), "malformed"),
        (client.post("/v1/track", {"event": "Visit"}), "no_identifier"),
        (client.without_key().post("/v1/track", TRACK), "unauthorized"),
        (client.get("/v1/track"), "method_not_allowed"),
        (client.get("/nowhere"), "not_found"),
        (client.without_key().get("/sourceConfig"), "unauthorized"),
        (client.get("/projects/nobody/settings"), "unauthorized"),
    ):
        assert_told(answer)
        assert answer.body["code"] == code


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
        ("/v1/track", b'{"userId":"u1","event":"a\\u0000"}', "invalid"),
        ("/v1/batch", b'{"events":[]}', "invalid"),
        ("/v1/batch", b'{"batch":[' + b"1," * 2_500 + b"1]}", "too_large"),
        ("/v1/batch", b"x" * 600_000, "too_large"),
        ("/v1/batch", b"x" * 3_000_000, "too_large"),
    ],
)
def test_31_what_is_malformed_or_too_large_is_400_and_kept(
    ingest: Seen, path: str, body: bytes, code: str
) -> None:
    answer, (record,) = ingest.refused(body, path)
    assert (answer.status, answer.body["code"]) == (400, code)
    assert (record.key, record.headers["reason"], record.headers["where"]) == ("shop", code, "ingest")
    assert tuple(record.headers) == HEADERS._fields
    assert record.value == (body if len(body) < 545_000 else body[: 32 * 1024])


def test_31_what_did_not_authenticate_is_never_stored(ingest: Seen) -> None:
    before = ingest.count()
    stranger = ingest.client.without_key()
    for body in (b"{broken", b"x" * 600_000, b"[]", b'"text"', b'{"batch":5}', b'{"batch":[5]}'):
        for path in ("/v1/track", "/v1/batch", "/beacon/v1/batch?writeKey=nobodys"):
            assert stranger.post(path, body).status in (400, 401)
    assert ingest.count() == before


def test_33_over_its_rate_a_source_is_told_when_to_come_again(ingest: Seen) -> None:
    slow = Client(ingest.settings, "key-of-the-slow-one")
    batch = [TRACK | {"messageId": f"slow {n}"} for n in range(20)]
    assert slow.post("/v1/batch", {"batch": batch}).status == 200
    events, rejected = ingest.count()
    in_body = slow.without_key().post("/v1/track", TRACK | {"writeKey": "key-of-the-slow-one"})
    for answer in (slow.post("/v1/track", TRACK), slow.post("/v1/batch", b"{broken"), in_body):
        assert_told(answer)
        assert (answer.status, answer.body["code"]) == (429, "rate_limited")
        assert 1 <= int(answer.headers["retry-after"]) <= 300
    assert ingest.client.post("/v1/track", TRACK).status == 200, "another source's limit is its own"
    assert ingest.count() == (events + 1, rejected)


def test_33_over_its_quota_likewise(ingest: Seen) -> None:
    small = Client(ingest.settings, "key-of-the-small-one")
    assert [small.post("/v1/track", TRACK).status for _ in range(4)] == [200, 200, 200, 429]
    answer = small.post("/v1/track", TRACK)
    assert answer.body["code"] == "quota_exceeded"
    assert 1 <= int(answer.headers["retry-after"]) <= 300
    assert small.get("/pixel/v1/track?event=Visit&userId=u1").status == 200


@pytest.mark.parametrize("size", [30_000, 500_000, 3_000_000])
def test_33_whatever_is_refused_hears_the_answer_and_keeps_its_connection(ingest: Seen, size: int) -> None:
    small = Client(ingest.settings, "key-of-the-small-one")
    small.post("/v1/batch", {"batch": [TRACK] * 3})
    for headers, path, status in (
        (small.headers, "/v1/batch", 429),
        ({"X-Write-Key": "nobodys-key"}, "/v1/batch", 401),
        (ingest.client.headers, "/nowhere", 404),
    ):
        connection = http.client.HTTPConnection(*small.address, timeout=30)
        for _ in range(10):
            connection.request("POST", path, b"x" * size, headers)
            response = connection.getresponse()
            assert (response.status, response.read()[:16]) == (status, b'{"success":false')
        connection.close()


def test_34_without_kafka_it_is_503_with_retry_after(own_broker: Broker, tmp_path: Path) -> None:
    """It waits for a broker that is not there yet, and says so once."""
    settings = settings_for(tmp_path, kafka=own_broker.address)
    init(settings)
    own_broker.kill()
    process, client = Process("ingest", settings), Client(settings)
    page = {"Origin": "https://shop.example"}
    with running(process):
        until(lambda: connects(settings.ingest_port))
        assert (client.get("/health").status, client.get("/ready").status) == (200, 503)
        assert client.get(f"/projects/{SHOP}/settings", **page).status == 200  # an SDK asks only once
        for answer in (client.post("/v1/track", TRACK, **page), client.get("/sourceConfig", **page)):
            assert_told(answer)
            assert (answer.status, answer.body["code"]) == (503, "unavailable")
            assert 1 <= int(answer.headers["retry-after"]) <= 300
            assert answer.headers["access-control-allow-origin"] == page["Origin"]
        asked = page | {"Access_Control_Request_Method": "POST"}
        assert client.request("OPTIONS", "/v1/track", **asked).status == 200
        assert client.get(f"/pixel/v1/track?writeKey={SHOP}&event=Visit&userId=u1").status == 200
        own_broker.start()
        until(lambda: client.post("/v1/track", TRACK | {"messageId": "at last"}).status == 200)
        with Seen(settings) as seen:
            assert seen.one("at last")
    assert process.said().count("kafka unavailable") == 1


def test_34_200_is_answered_when_the_log_has_it(ingest: Seen) -> None:
    for number in range(20):
        assert ingest.taken(TRACK | {"messageId": f"acknowledged {number}"}).received_at <= time.time() * 1000
