"""The pixel: an event in the query of an image, for pages and mails that run no script."""

import base64
import time
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from ingest.service import Service
from ingest.taking import taken

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One transparent pixel."""
OBJECTS = frozenset(("properties", "traits", "context", "integrations"))
MAX_DEPTH = 8


async def pixel(service: Service, request: Request, kind: str) -> Response:
    """Take the query's event in, where it is one; the answer is always the image.

    It is counted by the status that a post would have heard. HEAD takes nothing in.
    """
    if request.method == "GET":
        began = time.perf_counter()
        body = orjson.dumps(message(request.scope["query_string"]))

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        headers = {**dict(request.scope["headers"]), b"content-encoding": b""}
        problem = await taken(service, request.scope, headers, receive, kind)
        service.metrics.answered(200 if problem is None else problem.status, time.perf_counter() - began)
    return Response(GIF, headers={"cache-control": "no-store"}, media_type="image/gif")


def message(query: bytes) -> dict[str, Any]:
    """The message in a query: `properties.plan=pro` is a field of an object, `properties={...}` the whole of it."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(query.decode("utf-8", "replace")):
        if name != "writeKey":
            _put(found, name, _object(value) if name in OBJECTS else value)
    return found


def _put(found: dict[str, Any], name: str, value: Any) -> None:
    *above, last = name.split(".", MAX_DEPTH)
    inner: Any = found
    for part in above:
        inner = inner.setdefault(part, {}) if isinstance(inner, dict) else None
    if isinstance(inner, dict):
        inner[last] = value
    else:  # under what is no object: kept as it was named
        found[name] = value


def _object(value: str) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
