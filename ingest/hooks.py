"""`/hooks/SOURCE`: what other systems send in formats of their own, by the adapter of the source.

    door -> secrets -> read -> adapter -> limits -> accept -> write -> the adapter's reply

Who is not genuine is answered 401 and leaves nothing behind. An event that is refused goes to the rejected topic while
the others go in, and the sender hears success: it would send all of them again for ever.
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from urllib.parse import parse_qsl

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ingest.accept import Accepted, accept
from ingest.adapters.adapter import PATH, Adapter, Hook, Named, NotGenuine, Reply, Taken, as_told
from ingest.adapters.registry import ADAPTERS
from ingest.adapters.secrets import Missing
from ingest.answers import refused
from ingest.bodies import KEPT, MAX_EVENTS
from ingest.canonical import Arrival
from ingest.doors import Door
from ingest.problems import Problem, unavailable
from ingest.refusal import Refusal, too_large
from ingest.requests import Hold, drop, read
from ingest.service import Service
from ingest.taking import put, refuse, told
from schemas.rejected import Rejection

METHODS = ("GET", "POST")
MAX_HOOK = 2 * 1024 * 1024
"""Bytes of a body, inflated."""
MAX_ADAPTED = 256 * 1024
"""Bytes of an event as its sender sent it."""
NOT_READY = 60
"""Seconds after which to come again where an operator has something to do first."""

say = structlog.get_logger("ingest.hooks")


class Hooking:
    """The ASGI endpoint of all hooks."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        began = time.perf_counter()
        hold = Hold(self._service.held)
        try:
            reply = await _take(self._service, scope, receive, hold)
            response = Response(reply.body, reply.status, {"content-type": reply.content_type})
        except Exception as error:  # noqa: BLE001 - told by its place; its sender hears 500
            problem = told(error)
            response = refused(problem, {"allow": ", ".join(METHODS)} if problem.status == 405 else None)
        finally:
            hold.release()
        await response(scope, receive, send)
        self._service.metrics.answered(response.status_code, time.perf_counter() - began)


async def _take(service: Service, scope: Scope, receive: Receive, hold: Hold) -> Reply:
    """Take a request's events in; what its sender hears then."""
    received_at = time.time_ns() // 1_000_000
    headers: dict[bytes, bytes] = dict(scope["headers"])
    try:
        door, adapter, secrets = _enter(service, scope, received_at)
    except Problem:
        await drop(receive, hold)
        raise
    try:
        body = await read(receive, headers.get(b"content-encoding", b""), hold, most=MAX_HOOK)
    except Refusal as refusal:  # before anybody could say whose it is: not kept
        detail = refusal.detail.removesuffix(KEPT)
        raise Problem(400, refusal.reason.value, detail) from None
    hook = Hook(scope["method"], _query(scope), headers, body, received_at)
    try:
        accepted, answer = _accept(door, adapter, hook, secrets, next(service.ids))
    except NotGenuine as stranger:
        service.strangers.came(door.source.name, str(stranger))
        raise Problem(401, "unauthorized", "not signed as the sender of this source signs") from None
    writing = put(service, door, accepted, received_at)
    del accepted, hook, body
    await writing
    if isinstance(answer, Rejection):
        raise Problem(400, answer.reason.value, answer.detail)
    return answer


def _enter(service: Service, scope: Scope, received_at: int) -> tuple[Door, Adapter, list[Named]]:
    """The door of the source that the path names, with what verifies; Problem where nothing of it is taken now."""
    if service.doors is None or service.log is None:
        raise unavailable()
    door = service.doors.by_name(scope["path"].removeprefix(PATH).removesuffix("/"))
    if scope["method"] not in METHODS:
        raise Problem(405, "method_not_allowed", f"this path takes {' and '.join(METHODS)}")
    door.limits.check(received_at)
    not_ready = Problem(503, "unavailable", "this source is not set up yet; send it again", NOT_READY)
    assert door.source.adapter is not None
    adapter = ADAPTERS.get(door.source.adapter)
    if adapter is None:
        _tell_unknown(door.source.name, door.source.adapter)
        raise not_ready
    adapter = as_told(adapter, door.source.config)
    try:
        return door, adapter, service.secrets.of(door.source.name, adapter)
    except Missing:
        raise not_ready from None


@lru_cache(maxsize=1_024)
def _tell_unknown(source: str, adapter: str) -> None:
    """Once of each: a newer version of ours wrote its record."""
    say.error("unknown adapter", source=source, adapter=adapter)


def _accept(
    door: Door, adapter: Adapter, hook: Hook, secrets: list[Named], request: str
) -> tuple[Accepted, Reply | Rejection]:
    """What becomes of a request, and what its sender is to hear once that is in the log."""
    try:
        messages, reply = _adapted(door, adapter, hook, secrets)
        if len(messages) > MAX_EVENTS:
            raise too_large(f"a request may have {MAX_EVENTS} events")
        door.limits.take(len(messages), hook.now)
        desk = replace(door.desk, most=MAX_ADAPTED)
        return accept(messages, desk, Arrival(hook.now, request)), reply
    except Refusal as refusal:
        return refuse(refusal, hook.body, door, hook.now)


def _adapted(door: Door, adapter: Adapter, hook: Hook, secrets: list[Named]) -> Taken:
    """What the adapter makes of a request: by the newest secrets, else by those that are still valid; NotGenuine."""
    reasons: dict[str, None] = {}
    try:
        for each in secrets:
            try:
                return adapter.take(hook, each, door.source.config)
            except NotGenuine as why:
                reasons[str(why)] = None
    except Refusal:
        raise
    except Exception:
        say.error("the adapter failed", source=door.source.name, adapter=adapter.name)
        raise
    raise NotGenuine("; ".join(reasons))


def _query(scope: Scope) -> Mapping[str, str]:
    query: bytes = scope["query_string"]
    return dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {}
