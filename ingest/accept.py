"""What a request's events become: records for the log, and rejections with their reason. Pure.

    accept(messages, desk, arrival) -> Accepted(events, refused)

One bad event never harms its batch: every message is in one of the two lists.
"""

from typing import Any, NamedTuple, cast

import orjson

from ingest.bodies import MAX_BODY, MAX_EVENT, NUL, dump, original
from ingest.canonical import Arrival, Desk, canonical, planned
from ingest.identifiers import Identity
from ingest.ordinary import ordinary
from ingest.refusal import Refusal, invalid, too_large
from schemas.event import EventBody
from schemas.rejected import Rejection

MAX_RECORDS = 16 * 1024 * 1024
"""Bytes of all records of one request: an envelope's context goes into each event and could make many."""


class Refused(NamedTuple):
    """A rejected event, and its messageId where it has one."""

    rejection: Rejection
    message_id: str = ""


class Accepted(NamedTuple):
    """What becomes of a request: who and the record's value for each accepted event; and the refused ones."""

    events: list[tuple[Identity, bytes]]
    refused: list[Refused]

    @property
    def size(self) -> int:
        """Bytes of all record values."""
        return sum(len(value) for _, value in self.events) + sum(
            len(r.rejection.original) for r in self.refused
        )


def accept(messages: list[Any], desk: Desk, arrival: Arrival) -> Accepted:
    """Take each message of a request in, at the desk of its source."""
    events: list[tuple[Identity, bytes]] = []
    refused: list[Refused] = []
    room = MAX_RECORDS
    for number, message in enumerate(messages):
        try:
            event = ordinary(message, desk, arrival) or _event(message, desk, arrival, number)
            room -= len(event[1])
            if room < 0:
                raise too_large("the envelope's context makes this batch too large")
            events.append(event)
        except Refusal as refusal:
            refused.append(_refused(refusal, message))
    return Accepted(events, refused)


def _event(message: Any, desk: Desk, arrival: Arrival, number: int) -> tuple[Identity, bytes]:
    identity, body = canonical(message, desk, arrival, number)
    value, body = _value(body, message, desk.most)
    if desk.plan is not None and planned(desk.plan, body):
        value = orjson.dumps(body)
    return identity, value


def _value(body: EventBody, message: Any, most: int) -> tuple[bytes, EventBody]:
    """The record's value, within the limits and readable for every consumer; and the event as they will read it."""
    try:
        value = orjson.dumps(body)
    except TypeError:
        value = _exactly(body)
        body = cast("EventBody", orjson.loads(value))
    if len(value) > most - 2_048 and _too_large(value, message, most):
        raise too_large(f"an event may have {most} bytes")
    if b"\\" in value and b"u0000" in value and NUL.search(value):
        raise invalid("contains a NUL character")
    return value, body


def _too_large(value: bytes, message: Any, most: int) -> bool:
    """Whether it had more bytes as its sender sent it: an adapter keeps that beside what it makes of it."""
    if most == MAX_EVENT:
        return len(original(message)) > most
    context = message.get("context")
    sent = context.get("original") if isinstance(context, dict) else None
    return len(original(message if sent is None else sent)) > most or len(value) > 3 * most


def _exactly(body: EventBody) -> bytes:
    try:
        return dump(body)
    except TypeError as error:
        # orjson's own words name its types; `dump` says why it took a number for none, as the cause
        why = "it is nested too deep" if "Recursion" in str(error) else error.__cause__ or error
        raise invalid(f"cannot be kept as JSON: {why}") from None


def _refused(refusal: Refusal, message: Any) -> Refused:
    given = message.get("messageId") if isinstance(message, dict) else None
    message_id = given[:100] if isinstance(given, str) else ""
    return Refused(Rejection(refusal.reason, refusal.detail, original(message)[:MAX_BODY]), message_id)
