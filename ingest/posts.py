"""The ASGI endpoints of what SDKs post."""

import time
from functools import lru_cache
from typing import Any

from starlette.types import Receive, Scope, Send

from ingest import cors
from ingest.answers import SUCCESS, refused, success
from ingest.requests import Hold, drop
from ingest.service import Service
from ingest.taking import taken

END = {"type": "http.response.body", "body": SUCCESS}
START = {"type": "http.response.start", "status": 200, "headers": success().raw_headers}


@lru_cache(maxsize=1_024)
def start(origin: bytes) -> dict[str, Any]:
    """The start of a successful answer to a page of an origin that its source takes."""
    return {**START, "headers": success(cors.granted(origin)).raw_headers}


class Taking:
    """An ASGI endpoint that takes events in: `kind` is the type that its route names, None for a batch."""

    def __init__(self, service: Service, kind: str | None) -> None:
        self._service, self._kind = service, kind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        began = time.perf_counter()
        headers = dict(scope["headers"])
        problem = await taken(self._service, scope, headers, receive, self._kind)
        if problem is None:
            origin = headers.get(b"origin")
            await send(start(origin) if origin else START)
            await send(END)
        else:
            shared = cors.shared(self._service.doors, headers.get(b"origin"), problem)
            await refused(problem, shared)(scope, receive, send)
        status = 200 if problem is None else problem.status
        self._service.metrics.answered(status, time.perf_counter() - began)


class Discarding:
    """An ASGI endpoint that reads what SDKs say about themselves, and throws it away."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 200, whatever it was."""
        await drop(receive, Hold(self._service.held))
        origin = dict(scope["headers"]).get(b"origin")
        await success(cors.shared(self._service.doors, origin))(scope, receive, send)
