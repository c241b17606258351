"""Every answer that is no success, in the one shape SDKs take: `{"success":false,"code","message"}`. Pure.

400 malformed, too_large, invalid, ...   drop it: the code of a `schemas.rejected.Reason`
401 unauthorized        404 source_disabled, not_found        405 method_not_allowed
408 timeout             the body came too slowly
429 overloaded          500 internal        503 unavailable    again after Retry-After seconds
"""

import orjson


class Problem(Exception):
    """A request that is not answered with success; `retry_after` in seconds."""

    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after

    def body(self) -> bytes:
        """The answer's body."""
        return orjson.dumps({"success": False, "code": self.code, "message": self.message})


def overloaded() -> Problem:
    """429: more is under way than memory may hold."""
    return Problem(429, "overloaded", "too much is under way; send it again", 1)


def unavailable() -> Problem:
    """503: not in the log, or nobody knows."""
    return Problem(503, "unavailable", "the log does not acknowledge; send it again", 5)
