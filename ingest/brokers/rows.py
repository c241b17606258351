"""What brokers hand over as rows, and rows as what becomes of them. Pure.

A row has the fields of a JSON object as its columns; what is not of the payload stands beside them, each after a `$`.
"""

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any, NamedTuple

from ingest.accept import Accepted, Refused, accept
from ingest.bodies import MAX_BODY, parse
from ingest.canonical import MAX_MESSAGE_ID, Arrival, Desk
from ingest.mapping import Mapped
from ingest.refusal import Refusal, malformed, too_large
from schemas.rejected import Rejection

MAX_ROW = 256 * 1024
"""Bytes of a payload."""
MAX_BYTES = 2 * 1024 * 1024
"""Bytes of payloads that are accepted together: what they become fits into what one acceptance may make."""
Row = dict[str, Any]


class Given(NamedTuple):
    """One record of a broker: its payload, how to read it as a row, and the messageId where the mapping gives none."""

    payload: bytes
    row: Callable[[], Row]
    message_id: Callable[[Row], str]


def columns(payload: bytes, *, text: bool) -> Row:
    """The columns of a payload: an object's fields, else `$payload`. Refusal where it cannot be read.

    `text`: what is not JSON, and does not begin as if it were, is plain text.
    """
    if len(payload) > MAX_ROW:
        raise too_large(f"a payload may have {MAX_ROW} bytes", payload[:MAX_BODY])
    try:
        value = parse(payload)
    except Refusal:
        if not text or payload.lstrip()[:1] in (b"{", b"[", b'"'):
            raise
        value = _text(payload)
    return value if type(value) is dict else {"$payload": value}


def short(message_id: str) -> str:
    """A messageId that is not too long: itself, or its digest."""
    if len(message_id) <= MAX_MESSAGE_ID:
        return message_id
    name = message_id.partition("/")[0]
    return f"{name}/{blake2b(message_id.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


def parts(batch: list[Given]) -> Iterable[list[Given]]:
    """The records in order, as many together as are accepted together."""
    part: list[Given] = []
    size = 0
    for given in batch:
        if part and size + len(given.payload) > MAX_BYTES:
            yield part
            part, size = [], 0
        part.append(given)
        size += len(given.payload)
    if part:
        yield part


def taken(part: list[Given], mapped: Mapped, desk: Desk, arrival: Arrival) -> Accepted:
    """What becomes of records: events and refusals; rows that the mapping leaves out become nothing."""
    messages: list[Any] = []
    refused: list[Refused] = []
    for given in part:
        try:
            row = given.row()
            message = mapped(row)
            if message is None:
                continue
            if "messageId" not in message:
                message["messageId"] = given.message_id(row)
            messages.append(message)
        except Refusal as refusal:
            original = given.payload if refusal.original is None else refusal.original
            refused.append(Refused(Rejection(refusal.reason, refusal.detail, original[:MAX_BODY])))
    accepted = accept(messages, desk, arrival)
    return Accepted(accepted.events, refused + accepted.refused)


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise malformed("the payload is neither JSON nor text") from None
