"""The application in this process: what a running one cannot be brought to do at will."""

import asyncio
from typing import Any, cast

import orjson
import pytest

from ingest.accept import Accepted
from ingest.app import app
from ingest.log import Overloaded
from ingest.pixel import message
from ingest.service import Service
from schemas.errors import Unavailable
from schemas.sources import Source
from tests.ingest.test_doors import doors, source

KEY = "the-key-of-the-till"
PAGE = {"origin": "https://shop.example"}
BATCH = {"writeKey": KEY, "batch": [{"type": "page", "userId": "u1"}, {"type": "page", "userId": "u2"}]}


class Log:
    """Takes everything, or fails as it is told."""

    def __init__(self, error: Exception | None = None, *, late: bool = False) -> None:
        self.error, self.late, self.written = error, late, list[Accepted]()

    def write(self, accepted: Accepted, _: str, __: int) -> asyncio.Future[None]:
        if self.error is not None and not self.late:
            raise self.error
        self.written.append(accepted)
        future = asyncio.get_running_loop().create_future()
        if self.error is None:
            future.set_result(None)
        else:
            future.set_exception(self.error)
        return future


class Server:
    """An application with these sources and this log."""

    def __init__(self, *sources: Source, log: Any = None) -> None:
        self.service = Service()
        self.log: Any = log or Log()
        self.service.doors, self.service.log = doors(*sources), cast("Any", self.log)
        self._app = app(self.service)

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, str], Any]:
        """Status, headers and body of the answer."""
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": orjson.dumps(body), "more_body": False}

        async def send(part: Any) -> None:
            sent.append(part)

        plain, _, query = path.partition("?")
        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http", "method": method, "path": plain, "query_string": query.encode(), "headers": raw,
            "client": ("10.0.0.9", 4711), "server": ("127.0.0.1", 8080), "scheme": "http",
        }  # fmt: skip
        asyncio.run(self._app(scope, receive, send))  # type: ignore[arg-type]
        start, *parts = sent
        told = {name.decode(): value.decode() for name, value in start["headers"]}
        return start["status"], told, b"".join(part["body"] for part in parts)


def test_a_preflight_is_refused_where_no_source_takes_the_origin() -> None:
    server = Server(source(origins=["https://*.shop.example"]), source("old", "another-key", enabled=False))
    asked = {"access_control_request_method": "POST"}
    status, told, body = server.ask("OPTIONS", "/v1/track", **PAGE, **asked)
    assert (status, orjson.loads(body)["code"]) == (400, "origin_not_allowed")
    assert not [name for name in told if name.startswith("access-control")]
    assert server.ask("OPTIONS", "/v1/track", origin="https://www.shop.example", **asked)[0] == 200


@pytest.mark.parametrize("path", ["/v1/track", "/nowhere", "/health", "/v1/m"])
def test_an_answer_is_shared_only_with_pages_whose_events_some_source_takes(path: str) -> None:
    server = Server(source(origins=["https://www.shop.example"]))
    for method in ("GET", "POST"):
        assert "access-control-allow-origin" not in server.ask(method, path, {}, **PAGE)[1]
        shared = server.ask(method, path, {}, origin="https://www.shop.example")[1]
        assert shared["access-control-allow-origin"] == "https://www.shop.example"


@pytest.mark.parametrize(
    ("log", "status"),
    [
        (Log(Overloaded()), 429),
        (Log(Unavailable("Kafka is away")), 503),
        (Log(Unavailable("Kafka is silent"), late=True), 503),
        (Log(ZeroDivisionError("personal")), 500),
    ],
)
def test_what_did_not_get_into_the_log_is_said_and_does_not_count(
    log: Log, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    server = Server(source(quota=2), log=log)
    for _ in range(3 if status != 500 else 1):
        found, told, body = server.ask("POST", "/v1/batch", BATCH, **PAGE)
        assert found == status, body
        assert "retry-after" in told or status == 500
        assert told["access-control-allow-origin"] == PAGE["origin"]
    if status != 500:
        log.error = None
        assert server.ask("POST", "/v1/batch", BATCH)[0] == 200
    said = capsys.readouterr()
    assert "personal" not in said.out + said.err


def test_what_is_refused_as_a_whole_counts_as_an_event() -> None:
    server = Server(source(quota=2))
    broken = {"writeKey": KEY, "batch": 7}
    assert [server.ask("POST", "/v1/batch", broken)[0] for _ in range(3)] == [400, 400, 429]
    assert len(server.log.written) == 2


def test_only_a_customer_s_own_device_tells_who_sent() -> None:
    heard: list[tuple[str, str]] = []

    def enrich(context: Any, arrival: Any) -> tuple[Any, bool]:
        heard.append((arrival.agent, arrival.ip))
        return context, False

    for channel in ("web", "mobile", "server"):
        server = Server(source(channel=channel))
        server.service.doors = doors(source(channel=channel), enrich=lambda _: enrich)
        assert (
            server.ask(
                "POST", "/v1/track", {"event": "Visit", "userId": "u1", "writeKey": KEY}, user_agent="x"
            )[0]
            == 200
        )
    assert heard == [("x", "10.0.0.9"), ("x", "10.0.0.9"), ("", "")]


def test_a_pixel_s_query_is_a_message() -> None:
    assert message(b"") == {}
    assert message(b"writeKey=k&a=1&a.b=2&c.d=3&c=4&e=") == {"a": "1", "a.b": "2", "c": "4"}
    assert message(b"properties=%7B%22x%22%3A1%7D&properties.y=2") == {"properties": {"x": 1, "y": "2"}}
    assert message(b"properties={&userId=1") == {"properties": "{", "userId": "1"}
    deep = message(b"a." * 5_000 + b"z=1")
    for _ in range(8):
        (deep,) = deep.values()
    assert list(deep.values()) == ["1"]


def test_05_a_page_that_asks_before_the_sources_are_known_is_told_all_the_same() -> None:
    server = Server()
    server.service.doors = None
    status, told, body = server.ask("GET", "/v1/projects/any-key/settings", host="data.shop.example", **PAGE)
    assert (status, told["cache-control"]) == (200, "no-store")
    own = {"apiKey": "any-key", "apiHost": "data.shop.example/v1"}
    assert orjson.loads(body) == {"integrations": {"Segment.io": own}, "metrics": {"sampleRate": 0}}
    assert told["access-control-allow-origin"] == PAGE["origin"]
