"""Points 35 and 36: pages of other origins."""

import pytest

from tests.ingest.servers import Answer, Client
from tests.protocol.seen import SHOP, Seen

ASKED = "authorization,content-type,x-retry-count,anonymousid,sentat,x-write-key,x-never-heard-of"
TRACK = {"type": "track", "event": "Visit", "userId": "u1"}
PAGE = "https://www.shop.example"
PATHS = [
    "/v1/track",
    "/v1/t",
    "/v1/batch",
    "/v1/m",
    "/beacon/v1/batch",
    f"/v1/projects/{SHOP}/settings",
    "/sourceConfig",
]


def preflight(client: Client, path: str, origin: str, headers: str = ASKED) -> Answer:
    asked = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": headers}
    return client.without_key().request("OPTIONS", path, Origin=origin, **asked)


def assert_shared(answer: Answer, origin: str) -> None:
    """The page may read the answer, and when to come again."""
    told = answer.headers
    assert told["access-control-allow-origin"] == origin
    assert told["access-control-allow-credentials"] == "true"
    assert "origin" in told["vary"].lower()


@pytest.mark.parametrize("path", PATHS)
def test_35_a_preflight_echoes_the_origin_and_the_asked_headers(client: Client, path: str) -> None:
    for origin in (PAGE, "http://localhost:3000", "null"):
        answer = preflight(client, path, origin)
        assert answer.status == 200
        assert_shared(answer, origin)
        assert answer.headers["access-control-allow-headers"] == ASKED
        assert ("POST" if "v1/projects" not in path and path != "/sourceConfig" else "GET") in answer.headers[
            "access-control-allow-methods"
        ]


def test_35_a_source_takes_pages_of_its_own_origins_only(ingest: Seen) -> None:
    site = Client(ingest.settings, "key-of-the-site")
    in_body = TRACK | {"writeKey": "key-of-the-site"}
    for origin in ("https://shop.example", PAGE, "https://a.b.shop.example"):
        assert site.post("/v1/track", TRACK, Origin=origin).status == 200
        assert site.without_key().post("/v1/track", in_body, Origin=origin).status == 200
    assert site.post("/v1/track", TRACK).status == 200, "who is no page names no origin"
    before = ingest.count()
    for origin in ("http://shop.example", "https://shop.example:8443", "https://evilshop.example", "null"):
        for answer in (
            site.post("/v1/track", TRACK, Origin=origin),
            site.post("/v1/track", b"{broken", Origin=origin),
            site.without_key().post(
                "/v1/batch", {"batch": [in_body], "writeKey": "key-of-the-site"}, Origin=origin
            ),
            site.get("/v1/projects/key-of-the-site/settings", Origin=origin),
        ):
            assert (answer.status, answer.body["code"]) == (400, "origin_not_allowed")
            assert not [name for name in answer.headers if name.startswith("access-control")]
    assert ingest.count() == before


def test_35_a_preflight_that_names_its_source_is_held_to_that(client: Client) -> None:
    path = "/beacon/v1/batch?writeKey=key-of-the-site"
    assert_shared(preflight(client, path, PAGE), PAGE)
    answer = preflight(client, path, "https://evilshop.example")
    assert (answer.status, answer.body["code"]) == (400, "origin_not_allowed")
    assert "access-control-allow-origin" not in answer.headers
    unknown = preflight(client, "/beacon/v1/batch?writeKey=nobodys-key", PAGE)
    assert_shared(unknown, PAGE)  # so that the page can read the 401


def test_36_every_answer_may_be_read_with_its_retry_after(ingest: Seen) -> None:
    client, slow = ingest.client, Client(ingest.settings, "key-of-the-slow-one")
    stranger = client.without_key()
    answers = {
        200: client.post("/v1/track", TRACK, Origin=PAGE),
        400: client.post("/v1/track", b"{", Origin=PAGE),
        401: stranger.post("/v1/track", TRACK, Origin=PAGE),
        404: client.post("/nowhere", TRACK, Origin=PAGE),
        405: client.get("/v1/track", Origin=PAGE),
    }
    for answer in (
        *answers.values(),
        client.get("/sourceConfig", Origin=PAGE),
        client.get(f"/projects/{SHOP}/settings", Origin=PAGE),
        client.get("/cdp.js", Origin=PAGE),
        client.get("/pixel/v1/page", Origin=PAGE),
        stranger.post("/v1/m", {}, Origin=PAGE),
        slow.post("/v1/batch", {"batch": [TRACK] * 20}, Origin=PAGE),
        slow.post("/v1/batch", {"batch": [TRACK]}, Origin=PAGE),
    ):
        assert_shared(answer, PAGE)
        assert "retry-after" in answer.headers["access-control-expose-headers"].lower()
    assert [answer.status for answer in answers.values()] == list(answers)
    plain = client.post("/v1/track", TRACK)
    assert not [name for name in plain.headers if name.startswith("access-control")]
