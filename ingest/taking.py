"""The way of a request that sends events.

    door -> read -> parse -> open -> limits -> accept -> write -> answer

Success is answered when the log has the events, and the rejected topic the rejections with their reasons.
"""

import time

from starlette.types import Receive, Scope

from ingest import cors
from ingest.accept import Accepted, Refused, accept
from ingest.answers import crash
from ingest.bodies import MAX_BODY, parse
from ingest.doors import Door, Doors
from ingest.envelopes import open_body
from ingest.log import Overloaded
from ingest.problems import Problem, overloaded, unavailable
from ingest.refusal import Refusal
from ingest.requests import Hold, drop, read
from ingest.senders import NOBODY, sender
from ingest.service import Service
from schemas.errors import Unavailable
from schemas.rejected import Rejection

PERSONAL = frozenset(("web", "mobile"))
"""Channels whose requests come from the customer's own device: of others nobody learns anything from the sender."""


async def taken(
    service: Service, scope: Scope, headers: dict[bytes, bytes], receive: Receive, kind: str | None
) -> Problem | None:
    """Take a request in; None where everything is in the log, else what its sender is to hear."""
    hold = Hold(service.held)
    try:
        rejection = await _take(service, scope, headers, receive, kind, hold)
    except Exception as error:  # noqa: BLE001 - told by its place; its sender hears 500
        return told(error)
    finally:
        hold.release()
    return None if rejection is None else Problem(400, rejection.reason.value, rejection.detail)


def told(error: Exception) -> Problem:
    """What the sender of a request hears that ended with an error."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Overloaded):
        return overloaded()
    return unavailable() if isinstance(error, Unavailable) else crash(error)


async def _take(
    service: Service,
    scope: Scope,
    headers: dict[bytes, bytes],
    receive: Receive,
    kind: str | None,
    hold: Hold,
) -> Rejection | None:
    """Take a request's events in; the rejection of its body, or of its one event, that is to be answered."""
    received_at = time.time_ns() // 1_000_000
    try:
        doors, door = _enter(service, scope, headers, received_at)
    except Problem:
        await drop(receive, hold)
        raise
    answer: Rejection | None
    try:
        body = await read(receive, headers.get(b"content-encoding", b""), hold)
    except Refusal as refusal:
        accepted, answer = refuse(refusal, b"", door, received_at)
    else:
        door, accepted, answer = _accept(service, doors, door, scope, headers, body, kind, received_at)
        del body
    if door is not None:
        writing = put(service, door, accepted, received_at)
        del accepted
        await writing
    return answer


async def put(service: Service, door: Door, accepted: Accepted, received_at: int) -> None:
    """Put what becomes of a request into the log; Overloaded or Unavailable where it is not there, or nobody knows.

    Its caller should let go of `accepted` before it waits.
    """
    events, refused = len(accepted.events), accepted.refused
    if service.log is None or not (events or refused):
        return
    try:
        written = service.log.write(accepted, door.source.name, received_at)
        del accepted  # freed while the processor has it in its cache: a third of the CPU of a batch
        await written
    except (Overloaded, Unavailable):
        door.limits.give_back(events + len(refused), received_at)
        raise
    service.metrics.written(events, refused)


def _enter(
    service: Service, scope: Scope, headers: dict[bytes, bytes], received_at: int
) -> tuple[Doors, Door | None]:
    """The door that the headers or the query name, where it may be passed; what is refused here is not kept."""
    doors = service.doors
    if doors is None or service.log is None:
        raise unavailable()
    door = doors.by_request(headers, scope["query_string"])
    if door is not None:
        cors.check(door, headers.get(b"origin"))
        door.limits.check(received_at)
    return doors, door


def _accept(
    service: Service,
    doors: Doors,
    door: Door | None,
    scope: Scope,
    headers: dict[bytes, bytes],
    body: bytes,
    kind: str | None,
    received_at: int,
) -> tuple[Door | None, Accepted, Rejection | None]:
    """At whose door (nobody's where a body names none and cannot be parsed), what becomes of it, and what to answer."""
    try:
        parsed = parse(body)
        if door is None:
            door = doors.by_key(parsed.get("writeKey") if isinstance(parsed, dict) else None)
            cors.check(door, headers.get(b"origin"))
        desk = door.desk
        arrived = received_at, next(service.ids), headers.get(b"sentat", b"").decode("latin-1")
        who = NOBODY if desk.enrich is None or desk.channel not in PERSONAL else sender(scope, service.hops)
        messages, arrival = open_body(parsed, kind, arrived, who)
        door.limits.take(len(messages), received_at)
        accepted = accept(messages, desk, arrival)
        return door, accepted, accepted.refused[0].rejection if kind and accepted.refused else None
    except Refusal as refusal:
        return door, *refuse(refusal, body, door, received_at)


def refuse(refusal: Refusal, body: bytes, door: Door | None, received_at: int) -> tuple[Accepted, Rejection]:
    """A body that is refused as a whole; it counts as one event."""
    if door is not None:
        door.limits.take(1, received_at)
    original = body if refusal.original is None else refusal.original
    rejection = Rejection(refusal.reason, refusal.detail, original[:MAX_BODY])
    return Accepted([], [Refused(rejection)]), rejection
