"""Points 1 to 8: the paths that SDKs send to and ask."""

import time
from typing import Any

import orjson
import pytest

from ingest.app import POSTS
from tests.ingest.servers import Client
from tests.protocol.seen import SHOP, Seen

FIELDS: dict[str, dict[str, Any]] = {
    "track": {"event": "Visit"},
    "identify": {"traits": {"plan": "pro"}},
    "page": {"name": "Home"},
    "screen": {"name": "Home"},
    "group": {"groupId": "g1"},
    "alias": {"previousId": "u0"},
}
SHORT = {"t": "track", "i": "identify", "p": "page", "g": "group", "a": "alias", "s": "screen"}


def single(kind: str, path: str) -> dict[str, Any]:
    return {"userId": "u1", "messageId": path} | FIELDS[kind]


def batch(path: str) -> dict[str, Any]:
    return {"batch": [{"type": kind} | single(kind, f"{path}#{kind}") for kind in FIELDS]}


@pytest.mark.parametrize("kind", FIELDS)
def test_01_each_type_has_its_path(ingest: Seen, kind: str) -> None:
    assert ingest.taken(single(kind, f"/v1/{kind}"), f"/v1/{kind}").type == kind


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/import"])
def test_01_a_batch_has_two(ingest: Seen, path: str) -> None:
    assert ingest.client.post(path, batch(path)).body == {"success": True}
    assert [ingest.one(f"{path}#{kind}").type for kind in FIELDS] == list(FIELDS)


@pytest.mark.parametrize("kind", [*FIELDS, "batch", "import"])
def test_02_a_trailing_slash_is_the_same_and_no_redirect(ingest: Seen, kind: str) -> None:
    path = f"/v1/{kind}/"
    body = single(kind, path) if kind in FIELDS else batch(path)
    assert ingest.client.post(path, body).body == {"success": True}
    assert ingest.of(path if kind in FIELDS else f"{path}#track")


def test_03_there_are_short_forms_and_all_without_a_version(ingest: Seen) -> None:
    for path, kind in [(f"/v1/{short}", kind) for short, kind in SHORT.items()] + [
        (f"/{name}", kind) for name, kind in {**SHORT, **dict(zip(FIELDS, FIELDS, strict=True))}.items()
    ]:
        assert ingest.taken(single(kind, path), path).type == kind
    for path in ("/v1/b", "/b", "/batch", "/import", "/v1/batch/b", "/batch/b", "/v1/b/", "/b/"):
        assert ingest.client.post(path, batch(path)).body == {"success": True}
        assert ingest.one(f"{path}#group").type == "group"


def test_03_no_path_that_takes_events_is_untried() -> None:
    names = {*SHORT, *FIELDS, "batch", "import", "b", "batch/b"}
    assert set(POSTS) == {f"{v}/{name}" for v in ("", "/v1") for name in names} | {"/beacon/v1/batch"}


@pytest.mark.parametrize("path", ["/v1/m", "/v1/m/", "/m"])
def test_04_what_sdks_count_of_themselves_is_thrown_away(ingest: Seen, path: str) -> None:
    before = ingest.count()
    anybody = Client(ingest.settings, key=None)
    for body in (
        {"series": [{"type": "Counter", "metric": "x", "value": 1}]},
        b"{broken",
        b"",
        b"x" * 900_000,
    ):
        answer = anybody.post(path, body)
        assert (answer.status, answer.body) == (200, {"success": True})
    assert ingest.count() == before


@pytest.mark.parametrize(
    "path", ["/v1/projects/{}/settings", "/projects/{}/settings", "/projects/{}/settings/"]
)
def test_05_a_project_s_settings_name_one_integration_and_no_scheme(client: Client, path: str) -> None:
    host, port = client.address
    anybody = client.without_key()
    answer = anybody.get(path.format(SHOP))
    assert answer.body == {
        "integrations": {"Segment.io": {"apiKey": SHOP, "apiHost": f"{host}:{port}/v1"}},
        "metrics": {"sampleRate": 0},
    }
    assert "max-age" in answer.headers["cache-control"]
    assert "origin" in answer.headers["vary"].lower()
    by_name = anybody.get(path.format(SHOP), Host="data.shop.example").body["integrations"]["Segment.io"]
    assert by_name["apiHost"] == "data.shop.example/v1"
    assert anybody.get(path.format("nobodys-key")).status == 401
    assert anybody.get(path.format("key-of-the-old-site")).status == 404


@pytest.mark.parametrize(
    "path", ["/sourceConfig", "/sourceConfig/", f"/sourceConfig?p=web&v=3&writeKey={SHOP}"]
)
def test_06_a_source_s_configuration_says_that_it_is_enabled(client: Client, path: str) -> None:
    asking = client.without_key() if "writeKey" in path else client
    assert asking.get(path).body == {
        "source": {
            "id": "shop",
            "name": "shop",
            "workspaceId": "cdp",
            "enabled": True,
            "config": {},
            "destinations": [],
        }
    }
    assert client.without_key().get("/sourceConfig").status == 401


def test_07_the_pixel_takes_an_event_in_its_query(ingest: Seen) -> None:
    query = (
        f"?writeKey={SHOP}&messageId=pixel&anonymousId=a1&event=Mail%20Opened&properties.campaign=Fr%C3%BChling"
        "&properties.sizes.width=600&context.page.url=https%3A%2F%2Fshop.example%2F&properties.x=1&properties.x.y=2"
    )
    ingest.client.without_key().get(f"/pixel/v1/track{query}")
    event = ingest.one("pixel")
    assert (event.name, event.identifiers) == ("Mail Opened", {"anonymous_id": ["a1"]})
    assert event.properties == {"campaign": "Frühling", "sizes": {"width": "600"}, "x": "1"}
    assert event.context["page"] == {"url": "https://shop.example/"}
    assert event.context["original"] == {"properties.x.y": "2"}
    page = '/pixel/v1/page/?messageId=page%20pixel&userId=7&name=Home&properties={"path":"/"}'
    ingest.client.get(page.replace('"', "%22"))
    assert ingest.one("page pixel").properties == {"name": "Home", "path": "/"}


@pytest.mark.parametrize(
    "query",
    [
        "", "?writeKey=nobodys-key&event=Visit&userId=u1", "?writeKey=key-of-the-old-site&event=Visit&userId=u1",
        f"?writeKey={SHOP}", f"?writeKey={SHOP}&event=Visit", f"?writeKey={SHOP}&event=%00&userId=u1",
        f"?writeKey={SHOP}&properties=[]&event=Visit&userId=u1", f"?writeKey={SHOP}&{'a.' * 9000}b=1",
        f"?writeKey={SHOP}&event=Visit&userId=u1&properties.x={'y' * 33_000}", "?%ff=%fe&&&===",
    ],
)  # fmt: skip
def test_07_the_pixel_always_answers_a_gif(ingest: Seen, query: str) -> None:
    events, rejected = ingest.count()
    for path in ("/pixel/v1/track", "/pixel/v1/page"):
        answer = ingest.client.without_key().get(path + query)
        assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
        assert answer.body.startswith(b"GIF89a")
        assert answer.headers["cache-control"] == "no-store"
    taken, refused = ingest.count()
    if SHOP not in query:
        assert (taken, refused) == (events, rejected), "nothing before authentication is stored"
    else:
        assert taken - events + refused - rejected == 2


def test_07_the_pixel_is_not_taken_in_by_who_only_asks_for_its_headers(ingest: Seen) -> None:
    before = ingest.count()
    answer = ingest.client.request("HEAD", "/pixel/v1/track?event=Visit&userId=u1")
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "image/gif", b"")
    assert ingest.count() == before


@pytest.mark.parametrize("path", ["/beacon/v1/batch", "/beacon/v1/batch/"])
def test_08_a_beacon_names_its_key_in_the_query(ingest: Seen, path: str) -> None:
    beacon = ingest.client.without_key()
    body = orjson.dumps(batch(path))
    assert beacon.post(f"{path}?writeKey={SHOP}", body, Content_Type="text/plain").body == {"success": True}
    assert ingest.one(f"{path}#track").received_at <= time.time() * 1000
    assert beacon.post(path, body).status == 401
    assert beacon.post(f"{path}?writeKey={SHOP}", b"x" * 600_000).body["code"] == "too_large"
