"""The routes of ingest, one registry; `Service` is what they share.

Posts that send events go straight to their endpoint, all else through Starlette.
"""

from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest.adapters.adapter import PATH
from ingest.answers import refused
from ingest.asking import Answer, Asking, health, metrics, ready, share
from ingest.hooks import Hooking
from ingest.pixel import pixel
from ingest.posts import Discarding, Taking
from ingest.problems import Problem
from ingest.requests import Hold, drop
from ingest.sdk_settings import project, source_config
from ingest.service import Service
from ingest.shapes import SHAPES
from ingest.static import snippet

SINGLE = {**{kind: kind for kind in SHAPES}, **{kind[0]: kind for kind in SHAPES}}
"""Paths, also short, of one event, and the type that each names."""
BATCH = ("batch", "import", "b", "batch/b")
POSTS: dict[str, str | None] = {
    **{f"{version}/{name}": kind for version in ("/v1", "") for name, kind in SINGLE.items()},
    **{f"{version}/{name}": None for version in ("/v1", "") for name in BATCH},
    "/beacon/v1/batch": None,
}
DISCARDED = ("/v1/m", "/m")
BODILESS = frozenset(("GET", "HEAD", "OPTIONS"))
GETS: dict[str, Answer] = {
    "/health": health,
    "/ready": ready,
    "/metrics": metrics,
    "/v1/projects/{key}/settings": project,
    "/projects/{key}/settings": project,
    "/sourceConfig": source_config,
    "/pixel/v1/track": partial(pixel, kind="track"),
    "/pixel/v1/page": partial(pixel, kind="page"),
    "/cdp.js": snippet,
}


def app(service: Service) -> ASGIApp:
    """The ASGI application. A slash at the end of a path makes no difference."""
    posts: dict[str, ASGIApp] = {path: Taking(service, kind) for path, kind in POSTS.items()}
    posts |= {path: Discarding(service) for path in DISCARDED}
    posts |= {f"{path}/": endpoint for path, endpoint in posts.items()}
    answers = {**dict.fromkeys(posts), **GETS, **{f"{path}/": answer for path, answer in GETS.items()}}
    hooks = Hooking(service)
    routes = [Route(path, Asking(service, answer)) for path, answer in answers.items()]

    async def missing(request: Request, _: Exception) -> Response:
        problem = Problem(404, "not_found", "no such path")
        response = refused(problem)
        share(service, request, response, problem)
        return response

    starlette = Starlette(routes=routes, exception_handlers={HTTPException: missing})
    starlette.router.redirect_slashes = False

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = posts.get(scope["path"]) if scope["method"] == "POST" else None
        if endpoint is None and scope["path"].startswith(PATH):
            endpoint = hooks
        if endpoint is None and scope["method"] not in BODILESS:
            await drop(receive, Hold(service.held))
        await (endpoint or starlette)(scope, receive, send)

    return route
