"""What was not accepted, and why: values, never exceptions.

A record of `cdp.rejected.v1` is: key = source; value = the original bytes; headers = `HEADERS`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Reason(StrEnum):
    """Why an event was rejected; `ABOUT` says what each means."""

    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    INVALID = "invalid"
    NO_IDENTIFIER = "no_identifier"
    NAMESPACE_NOT_ALLOWED = "namespace_not_allowed"
    BAD_AMOUNT = "bad_amount"
    BAD_PROPERTY = "bad_property"
    PLAN = "plan_violation"
    STATE_FULL = "state_full"
    UNREADABLE = "unreadable"
    UNKNOWN_VERSION = "unknown_version"
    UNFOLDABLE = "unfoldable"


ABOUT = {
    Reason.MALFORMED: "the body is not JSON, or not an object",
    Reason.TOO_LARGE: "an event over 32 KiB (of an adapter 256 KiB), a batch over its limits",
    Reason.INVALID: "a required field is missing or of the wrong type",
    Reason.NO_IDENTIFIER: "nothing that identifies somebody, or only blocked values",
    Reason.NAMESPACE_NOT_ALLOWED: "the source may not assert this namespace",
    Reason.BAD_AMOUNT: "an amount that is not exact, or a currency that is none",
    Reason.BAD_PROPERTY: "a registered event whose properties cannot be read",
    Reason.PLAN: "the source's tracking plan rejects it; the detail names the rules",
    Reason.STATE_FULL: "the customer's state would exceed its bound",
    Reason.UNREADABLE: "a record in the log that cannot be decoded",
    Reason.UNKNOWN_VERSION: "a record of a schema version that this code does not know",
    Reason.UNFOLDABLE: "the fold failed on it",
}


@dataclass(frozen=True, slots=True)
class Rejection:
    """One rejected event: its `reason`, a `detail` for a human (nothing personal), its bytes."""

    reason: Reason
    detail: str
    original: bytes


class HEADERS(NamedTuple):
    """Headers of a rejected record, all UTF-8 text."""

    v: str
    reason: str
    detail: str
    where: str  # "ingest" or topic/partition/offset
    received_at: str  # Unix ms
    message_id: str  # empty where there is none


def headers(
    rejection: Rejection, where: str, received_at: int, message_id: str = ""
) -> list[tuple[str, bytes]]:
    """The Kafka headers of a rejected record."""
    values = HEADERS("1", rejection.reason.value, rejection.detail, where, str(received_at), message_id)
    return [(name, value.encode("utf-8", "replace")) for name, value in values._asdict().items()]
