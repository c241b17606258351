"""What stands in Kafka records, to and from what `handle` knows. Pure."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import orjson

from processors.messages import Change
from schemas.changes import ce_headers
from schemas.commands import Command
from schemas.event import EventBody
from schemas.rejected import Reason, Rejection, headers

VERSION = 1
Headers = Sequence[tuple[str, bytes]]


class LogRecord(Protocol):
    """A consumed record, as aiokafka gives it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Out(NamedTuple):
    """A record to write."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class Unfoldable(Exception):
    """This record cannot be folded; the rejection says why."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def decode(record: LogRecord) -> dict[str, Any]:
    """The body of a record of the events log; Unfoldable where there is none that this code knows."""
    try:
        body = orjson.loads(record.value or b"")
    except ValueError as error:
        raise Unfoldable(Reason.UNREADABLE, f"not JSON: {str(error)[:200]}") from None
    if not isinstance(body, dict) or "v" not in body:
        raise Unfoldable(Reason.UNREADABLE, "not an object with a version")
    if body["v"] != VERSION:
        raise Unfoldable(Reason.UNKNOWN_VERSION, f"version {str(body['v'])[:20]}; this code knows {VERSION}")
    return body


def keys_of(record: LogRecord, primary: str) -> list[str]:
    """The keys of all identifiers of an event, greatest first; the record's own key comes first whatever it says."""
    for name, value in record.headers:
        if name == "keys":
            keys = value.decode("utf-8", "replace").split(" ")
            return keys if keys[0] == primary else [primary, *(key for key in keys if key and key != primary)]
    return [primary]


def event_of(body: dict[str, Any]) -> EventBody:
    """The body as an event; Unfoldable where a field that the fold reads is missing or of the wrong type."""
    for name, kind in _FIELDS:
        if type(body.get(name)) is not kind:
            raise Unfoldable(Reason.UNREADABLE, f"{name} is missing or not {kind.__name__}")
    if not (_FIRST <= body["occurred_at"] <= _LAST and _FIRST <= body["received_at"] <= _LAST):
        raise Unfoldable(Reason.UNREADABLE, "an instant is out of range")
    return body  # type: ignore[return-value]


def command_of(body: dict[str, Any]) -> Command:
    """The body as a command; Unfoldable where it is none that this code knows."""
    if body.get("kind") not in ("deliver", "claim", "refuse", "release", "absorb", "relink", "backfill"):
        raise Unfoldable(Reason.UNREADABLE, "unknown command")
    return body  # type: ignore[return-value]


_SENDER = ("source", "message_id")
_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999
_FIELDS: tuple[tuple[str, type], ...] = (
    ("name", str),
    ("type", str),
    ("message_id", str),
    ("source", str),
    ("channel", str),
    ("occurred_at", int),
    ("received_at", int),
    ("identifiers", dict),
    ("properties", dict),
    ("traits", dict),
)


def change_record(change: Change, deployment: str) -> Out:
    """A change as a CloudEvent in Kafka's binary mode."""
    headers = ce_headers(change.id, change.type, deployment, change.customer_id, change.at)
    return Out(change.customer_id.encode(), orjson.dumps(change.body), headers)


def rejected_record(record: LogRecord, why: Unfoldable, now: int) -> Out:
    """What was not folded, for `cdp.rejected.v1`: its original bytes, and whose it is where it tells."""
    original = record.value or b""
    place = f"{record.topic}/{record.partition}/{record.offset}"
    source, message_id = _sender(original)
    rejection = Rejection(why.reason, why.detail, original)
    return Out(source.encode(), original, headers(rejection, place, now, message_id))


def _sender(original: bytes) -> tuple[str, str]:
    try:
        body = orjson.loads(original)
    except ValueError:
        return "", ""
    told = body if isinstance(body, dict) else {}
    source, message_id = (value if isinstance(value := told.get(name), str) else "" for name in _SENDER)
    return source, message_id
