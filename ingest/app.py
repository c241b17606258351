"""The routes of ingest.

    read -> parse -> open -> accept -> write -> answer

Success is answered when the log has the events, and the rejected topic the rejections with their reasons.
"""

import itertools
import time
import traceback
import uuid

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest.accept import Accepted, Refused, accept
from ingest.bodies import parse
from ingest.canonical import Desk
from ingest.doors import Doors
from ingest.envelopes import open_body
from ingest.log import Log, Overloaded
from ingest.metrics import Metrics
from ingest.problems import Problem, overloaded, unavailable
from ingest.refusal import Refusal
from ingest.requests import Held, Hold, read
from ingest.shapes import SHAPES
from schemas.errors import Unavailable
from schemas.rejected import Rejection

JSON = "application/json"
OK = Response(b'{"success":true}', media_type=JSON)
START = {"type": "http.response.start", "status": 200, "headers": OK.raw_headers}
SUCCESS = {"type": "http.response.body", "body": OK.body}

say = structlog.get_logger("ingest.app")


class Service:
    """What the routes need; `doors` and `log` are there once Kafka and genesis are."""

    def __init__(self) -> None:
        self.doors: Doors | None = None
        self.log: Log | None = None
        self.metrics = Metrics()
        self.held = Held()
        process = uuid.uuid4().hex
        self.ids = (f"{process}-{number}" for number in itertools.count())


class Taking:
    """An ASGI endpoint that takes events in: `kind` is the type that its route names, None for a batch."""

    def __init__(self, service: Service, kind: str | None) -> None:
        self._service, self._kind = service, kind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        began = time.perf_counter()
        try:
            problem = await _answer(self._service, scope, receive, self._kind)
        except Exception as error:  # noqa: BLE001 - told by its place; its sender hears 500
            problem = _crash(error)
        if problem is None:
            await send(START)
            await send(SUCCESS)
        else:
            await _response(problem)(scope, receive, send)
        status = 200 if problem is None else problem.status
        self._service.metrics.answered(status, time.perf_counter() - began)


def app(service: Service) -> ASGIApp:
    """The ASGI application. Events go straight to their endpoint; what is seldom asked for goes through Starlette."""

    async def health(_: Request) -> Response:
        return OK

    async def ready(_: Request) -> Response:
        return OK if service.log and await service.log.reachable() else _response(unavailable())

    async def metrics(_: Request) -> Response:
        return Response(service.metrics.page(), media_type="text/plain; version=0.0.4; charset=utf-8")

    posts = {**{kind: kind for kind in SHAPES}, "batch": None, "import": None}
    taking = {
        f"/v1/{name}{slash}": Taking(service, kind) for name, kind in posts.items() for slash in ("", "/")
    }
    routes = [Route(path, endpoint, methods=["POST"]) for path, endpoint in taking.items()]
    for path, endpoint in (("/health", health), ("/ready", ready), ("/metrics", metrics)):
        routes.append(Route(path, endpoint, methods=["GET"]))
    starlette = Starlette(routes=routes, exception_handlers={HTTPException: _http, Exception: _failed})
    starlette.router.redirect_slashes = False

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        taker = taking.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        await (taker or starlette)(scope, receive, send)

    return route


async def _answer(service: Service, scope: Scope, receive: Receive, kind: str | None) -> Problem | None:
    hold = Hold(service.held)
    try:
        rejection = await _take(service, scope, receive, kind, hold)
    except Problem as problem:
        return problem
    except Overloaded:
        return overloaded()
    except Unavailable:
        return unavailable()
    finally:
        hold.release()
    return None if rejection is None else Problem(400, rejection.reason.value, rejection.detail)


async def _take(
    service: Service, scope: Scope, receive: Receive, kind: str | None, hold: Hold
) -> Rejection | None:
    """Take a request's events in; the rejection of its body, or of its one event, that is to be answered."""
    doors, log = service.doors, service.log
    if doors is None or log is None:
        raise unavailable()
    received_at = time.time_ns() // 1_000_000
    headers = dict(scope["headers"])
    desk = doors.by_request(headers, scope["query_string"])
    arrived = received_at, next(service.ids), headers.get(b"sentat", b"").decode("latin-1")
    answer: Rejection | None
    try:
        body = await read(receive, headers.get(b"content-encoding", b""), hold)
    except Refusal as refusal:
        accepted, answer = _refuse(refusal, b"")
    else:
        desk, accepted, answer = _accept(doors, body, kind, desk, arrived)
        del body
    events, refused = len(accepted.events), accepted.refused
    if desk is not None and (events or refused):
        written = log.write(accepted, desk.name, received_at)
        del accepted  # freed while the processor has it in its cache: a third of the CPU of a batch
        await written
        service.metrics.written(events, refused)
    return answer


def _accept(
    doors: Doors, body: bytes, kind: str | None, desk: Desk | None, arrived: tuple[int, str, str]
) -> tuple[Desk | None, Accepted, Rejection | None]:
    """At whose desk (nobody's where a body names none and cannot be parsed), what becomes of it, and what to answer."""
    try:
        parsed = parse(body)
        desk = desk or doors.by_key(parsed.get("writeKey") if isinstance(parsed, dict) else None)
        messages, arrival = open_body(parsed, kind, arrived)
        accepted = accept(messages, desk, arrival)
        return desk, accepted, accepted.refused[0].rejection if kind and accepted.refused else None
    except Refusal as refusal:
        return desk, *_refuse(refusal, body)


def _refuse(refusal: Refusal, body: bytes) -> tuple[Accepted, Rejection]:
    """A body that is refused as a whole."""
    original = body if refusal.original is None else refusal.original
    rejection = Rejection(refusal.reason, refusal.detail, original)
    return Accepted([], [Refused(rejection)]), rejection


def _response(problem: Problem) -> Response:
    headers = {} if problem.retry_after is None else {"retry-after": str(problem.retry_after)}
    return Response(problem.body(), problem.status, headers, JSON)


async def _http(_: Request, error: Exception) -> Response:
    """Paths that are none, and methods that a path does not take."""
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "malformed")
    return _response(
        Problem(error.status_code if error.status_code in (404, 405) else 400, code, error.detail)
    )


async def _failed(_: Request, error: Exception) -> Response:
    return _response(_crash(error))


def _crash(error: Exception) -> Problem:
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    say.error("unexpected", error=type(error).__name__, place=place)  # its text may hold what a customer sent
    return Problem(500, "internal", "unexpected; it is in the log of ingest")
