"""Answers: success, made once, and every problem in its one shape."""

import traceback

import structlog
from starlette.responses import Response

from ingest.cors import Headers
from ingest.problems import Problem

JSON = "application/json"
SUCCESS = b'{"success":true}'

say = structlog.get_logger("ingest.answers")


def success(headers: Headers | None = None) -> Response:
    """200."""
    return Response(SUCCESS, headers=headers, media_type=JSON)


def refused(problem: Problem, headers: Headers | None = None) -> Response:
    """A problem, and when to come again."""
    given = dict(headers or {})
    if problem.retry_after is not None:
        given["retry-after"] = str(problem.retry_after)
    return Response(problem.body(), problem.status, given, JSON)


def crash(error: Exception) -> Problem:
    """500 for what nobody foresaw; its place is logged, its text not: it may hold what a customer sent."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    say.error("unexpected", error=type(error).__name__, place=place)
    return Problem(500, "internal", "unexpected; it is in the log of ingest")
