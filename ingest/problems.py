"""Every answer that is no success, in the one shape SDKs take: `{"success":false,"code","message"}`. Pure.

400 malformed, too_large, invalid, ...   drop it: the code of a `schemas.rejected.Reason`
400 origin_not_allowed  a page of an origin that the source does not take
401 unauthorized        404 source_disabled, not_found        405 method_not_allowed
408 timeout             the body came too slowly
500 internal            503 unavailable     again after Retry-After seconds
429 overloaded, rate_limited, quota_exceeded   likewise
"""

import orjson

NOT_ALLOWED = "origin_not_allowed"


class Problem(Exception):
    """A request that is not answered with success; `retry_after` in seconds."""

    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after

    def body(self) -> bytes:
        """The answer's body."""
        return orjson.dumps({"success": False, "code": self.code, "message": self.message})


def unauthorized() -> Problem:
    """401: no write key, or one that nobody has."""
    return Problem(401, "unauthorized", "unknown write key")


def not_allowed() -> Problem:
    """400: a page of an origin that the source, or any source, does not take."""
    return Problem(400, NOT_ALLOWED, "no events are taken from pages of this origin")


def overloaded() -> Problem:
    """429: more is under way than memory may hold."""
    return Problem(429, "overloaded", "too much is under way; send it again", 1)


def unavailable() -> Problem:
    """503: not in the log, or nobody knows."""
    return Problem(503, "unavailable", "the log does not acknowledge; send it again", 5)
