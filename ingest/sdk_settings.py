"""What SDKs ask for before they send: Segment's settings of a project, RudderStack's configuration of a source."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from ingest import cors
from ingest.answers import JSON
from ingest.problems import unauthorized, unavailable
from ingest.service import Service

CACHED = {"cache-control": "public, max-age=120", "vary": "Origin"}
UNSURE = {"cache-control": "no-store", "vary": "Origin"}
PRIVATE = {"cache-control": "private, max-age=120", "vary": "Origin"}


async def project(service: Service, request: Request) -> Response:
    """Segment's settings: events go to the address that was asked, and nowhere else, so it has one integration.

    Answered also before sources are known: the SDK of a page asks once and loses its events where it hears no answer.
    Its metrics would go to Segment's own address, whatever the rest says, so it is told to send none.
    """
    key = request.path_params["key"]
    if service.doors is not None:
        _opened(service, request, key)
    own = {"apiKey": key, "apiHost": f"{_host(request)}/v1"}
    content = {"integrations": {"Segment.io": own}, "metrics": {"sampleRate": 0}}
    return _json(content, CACHED if service.doors is not None else UNSURE)


async def source_config(service: Service, request: Request) -> Response:
    """RudderStack's configuration: enabled, and nothing that the SDK should send elsewhere."""
    name = _opened(service, request, None)
    source = {
        "id": name,
        "name": name,
        "workspaceId": "cdp",
        "enabled": True,
        "config": {},
        "destinations": [],
    }
    return _json({"source": source}, PRIVATE)


def _opened(service: Service, request: Request, key: str | None) -> str:
    """The name of the source whose key this is, or that the request names; Problem where it may not ask."""
    if service.doors is None:
        raise unavailable()
    headers = dict(request.scope["headers"])
    if key is None:
        door = service.doors.by_request(headers, request.scope["query_string"])
    else:
        door = service.doors.by_key(key)
    if door is None:
        raise unauthorized()
    cors.check(door, headers.get(b"origin"))
    return door.source.name


def _host(request: Request) -> str:
    """The address that the request was sent to, as its sender knows it."""
    if host := request.headers.get("host"):
        return host
    name, port = request.scope["server"]
    return f"{name}:{port}"


def _json(content: Any, headers: dict[str, str]) -> Response:
    return Response(orjson.dumps(content), headers=headers, media_type=JSON)
