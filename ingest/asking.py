"""Endpoints of all but the posts that `ingest.posts` takes: questions, preflights, methods that a path lacks."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ingest import cors
from ingest.answers import crash, refused, success
from ingest.problems import Problem, unavailable
from ingest.service import Service

Answer = Callable[[Service, Request], Awaitable[Response]]


class Asking:
    """An ASGI endpoint of one path: `answer` answers its GET; a path without one takes POST alone."""

    def __init__(self, service: Service, answer: Answer | None) -> None:
        self._service, self._answer = service, answer
        self._method = "POST" if answer is None else "GET"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request, problem = Request(scope, receive), None
        try:
            response = await self._respond(request)
        except Problem as refusal:
            problem = refusal
        except Exception as error:  # noqa: BLE001 - told by its place; its sender hears 500
            problem = crash(error)
        if problem is not None:
            response = refused(problem)
            if problem.status == 405:
                response.headers["allow"] = self._allowed()
        share(self._service, request, response, problem)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return self._preflight(request)
        if self._answer is None or request.method not in ("GET", "HEAD"):
            raise Problem(405, "method_not_allowed", f"this path takes {self._method}")
        return await self._answer(self._service, request)

    def _preflight(self, request: Request) -> Response:
        origin = request.headers.get("origin")
        if origin is None:
            return success({"allow": self._allowed()})
        cors.check_preflight(self._service.doors, origin.encode("latin-1"), request.scope["query_string"])
        asked = request.headers.get("access-control-request-headers")
        return success(cors.preflight(asked, self._method))

    def _allowed(self) -> str:
        return "POST, OPTIONS" if self._answer is None else "GET, HEAD, OPTIONS"


def share(service: Service, request: Request, response: Response, problem: Problem | None) -> None:
    """Let the page that asked read the answer, where a source takes its origin."""
    origin = request.headers.get("origin")
    granted = cors.shared(service.doors, origin.encode("latin-1") if origin else None, problem)
    for name, value in granted.items():
        response.headers.setdefault(name, value)


async def health(_: Service, __: Request) -> Response:
    """200 while the process lives."""
    return success()


async def ready(service: Service, _: Request) -> Response:
    """200 where events would be taken now."""
    if service.log is None or not await service.log.reachable():
        raise unavailable()
    return success()


async def metrics(service: Service, _: Request) -> Response:
    """The counters, for Prometheus."""
    return Response(service.metrics.page(), media_type="text/plain; version=0.0.4; charset=utf-8")
