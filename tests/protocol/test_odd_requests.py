"""Point 32: whatever is sent, no answer is one that some SDK takes amiss."""

import pytest

from tests.ingest.servers import Client
from tests.protocol.raw import assert_told, raw
from tests.protocol.seen import Seen

NEVER = {202, 204, 301, 302, 307, 308, 403, 410, 415, 422, 501, 505}
"""Some SDKs would send again, give up, or go elsewhere."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", "PROPFIND", "post")
PATHS = (
    "/", "//", "/v1", "/v1/", "/v2/track", "/v1/track", "/v1/track//", "/V1/track", "/v1/nothing", "/v1/batch/b",
    "/v1/m", "/beacon/v1/batch", "/beacon/v1/page", "/pixel/v1/track", "/pixel/v1/nothing", "/sourceConfig",
    "/cdp.js", "/health", "/ready", "/metrics", "/projects//settings", "/projects/a/b/settings", "/v1/%74rack",
    "/v1/projects/x/settings", "/%2e%2e/etc/passwd", "/v1/track?writeKey=%00", "/cdp.js/../health", "/v1/track%00",
    "/favicon.ico", "/\xc3\xbc",
)  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_32_no_odd_request_is_answered_with_what_sdks_take_amiss(ingest: Seen, method: str) -> None:
    before = ingest.count()
    stranger = ingest.client.without_key()
    for path in PATHS:
        for headers in ({}, {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}):
            answer = raw(stranger, f"{method} {path} HTTP/1.1", headers)
            assert answer.status not in NEVER, path
            assert answer.status in (200, 400, 401, 404, 405), path
            if answer.status != 200 and method != "HEAD" and answer.body != b"":
                assert_told(answer)
    assert ingest.count() == before


@pytest.mark.parametrize(
    "request_line",
    [
        "GET /health HTTP/1.0", "POST /v1/track HTTP/1.0", "OPTIONS * HTTP/1.1", "GET /health HTTP/2.0",
        "GET http://other.example/health HTTP/1.1", "GET /health HTTP/3.7", "GET  HTTP/1.1", "\x16\x03\x01",
        "CONNECT a.example:443 HTTP/1.1",
    ],
)  # fmt: skip
def test_32_nor_is_one_that_is_hardly_a_request(client: Client, request_line: str) -> None:
    assert raw(client.without_key(), request_line, {"Connection": "close"}).status not in NEVER


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "-1"}, {"Content-Length": "x"}, {"Transfer-Encoding": "gzip"}, {"Expect": "a miracle"},
        {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "x", "Sec-WebSocket-Version": "13"},
        {"Upgrade": "h2c", "Connection": "Upgrade"}, {"Content-Type": "image/png"}, {"Accept": "text/html;q=0"},
        {"Content-Encoding": "deflate"}, {"Range": "bytes=7-"}, {"If-None-Match": "*"}, {"X-Write-Key": "\xff" * 300},
    ],
)  # fmt: skip
def test_32_nor_are_odd_headers(client: Client, headers: dict[str, str]) -> None:
    for line in ("POST /v1/track HTTP/1.1", "GET /health HTTP/1.1", "GET /v1/track HTTP/1.1"):
        assert raw(client.without_key(), line, {"Connection": "close"} | headers).status not in NEVER
