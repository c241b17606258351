"""Which pages of other origins may send and hear the answer (CORS). Pure.

A preflight names a source only where its query does; else it is granted where any source takes the origin. The request
itself is held to its own.
"""

from ingest.doors import Door, Doors
from ingest.problems import NOT_ALLOWED, Problem, not_allowed

Headers = dict[str, str]
MAX_AGE = 600
"""Seconds for which a browser need not ask again."""


def check(door: Door, origin: bytes | None) -> None:
    """Problem where the source does not take events from pages of this origin."""
    if origin and not door.admits(origin.decode("latin-1")):
        raise not_allowed()


def shared(doors: Doors | None, origin: bytes | None, problem: Problem | None = None) -> Headers:
    """The headers by which a page of this origin may read an answer; none where no source takes it.

    Before the sources are known every page may read that it is to come again.
    """
    if not origin or (problem is not None and problem.code == NOT_ALLOWED):
        return {}
    if doors is not None and not doors.allows_origin(origin.decode("latin-1")):
        return {}
    return granted(origin)


def granted(origin: bytes) -> Headers:
    """The headers for an origin that is taken."""
    return {
        "access-control-allow-origin": origin.decode("latin-1"),
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "Retry-After",
        "vary": "Origin",
    }


def check_preflight(doors: Doors | None, origin: bytes, query: bytes) -> None:
    """Problem where the source that the query names, or any where it names none, does not take pages of this origin."""
    try:
        door = doors.by_request({}, query) if doors is not None else None
    except Problem:  # for the request itself to hear
        door = None
    if door is not None:
        check(door, origin)
    elif not shared(doors, origin):
        raise not_allowed()


def preflight(asked: str | None, method: str) -> Headers:
    """What a preflight grants beside the origin: the headers that it asked for, whatever they are."""
    return {
        "access-control-allow-methods": method,
        **({"access-control-allow-headers": asked} if asked else {}),
        "access-control-max-age": str(MAX_AGE),
        "vary": "Origin, Access-Control-Request-Headers",
    }
