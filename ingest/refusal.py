"""How reading an event, or a whole body, says no. Pure.

It never leaves the room: `ingest.accept` and `ingest.app` turn it into a `Rejection`.
"""

from schemas.rejected import Reason


class Refusal(Exception):
    """Not accepted: `reason`, a `detail` without personal data, and what is to be kept of the body."""

    def __init__(self, reason: Reason, detail: str, original: bytes | None = None) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.original = reason, detail, original


def invalid(detail: str) -> Refusal:
    """A required field is missing or of the wrong type."""
    return Refusal(Reason.INVALID, detail)


def malformed(detail: str, original: bytes | None = None) -> Refusal:
    """The body is not what it claims to be; `original` where it is not the parsed one."""
    return Refusal(Reason.MALFORMED, detail, original)


def too_large(detail: str, start: bytes | None = None) -> Refusal:
    """Over a limit; of a whole body just the `start` is kept."""
    return Refusal(Reason.TOO_LARGE, detail, start)
