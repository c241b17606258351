"""The short way of the most frequent message to its record. Pure; the hot path of ingest.

An ordinary message is a track of known identifiers with properties and context, and nothing that needs a closer look.
It becomes the very bytes that `ingest.canonical` would make of it, which takes whatever is not ordinary.
"""

from datetime import datetime
from typing import Any

import orjson

from ingest.bodies import MAX_EVENT
from ingest.canonical import MAX_MESSAGE_ID, Arrival, Desk, planned
from ingest.identifiers import Identity
from ingest.shapes import MAX_NAME
from ingest.times import EARLIEST, EPOCH, FUTURE
from schemas.event import EventBody
from schemas.identity import MAX_VALUE
from schemas.semantics import SEMANTICS

FIELDS = frozenset((
    "type", "event", "userId", "anonymousId", "messageId", "timestamp", "properties", "context", "writeKey",
    "integrations",
))  # fmt: skip
CLOSER = frozenset(("traits", "device", "externalIds"))
"""Of a context: what may identify."""
READ = frozenset(semantic.name for semantic in SEMANTICS if semantic.entry)
"""Events whose properties are read."""
SHORT = MAX_EVENT - 2_048
"""Bytes of a value whose message cannot be too large."""


def ordinary(message: Any, desk: Desk, arrival: Arrival) -> tuple[Identity, bytes] | None:
    """Who, and the record's value; None where the message is not ordinary, Refusal where the plan rejects it."""
    try:
        get, name, message_id, stamp = (
            message.get,
            message["event"],
            message["messageId"],
            message["timestamp"],
        )
        properties, context = message["properties"], message["context"]
        user, anonymous = get("userId"), get("anonymousId")
        if (
            (arrival.kind or message["type"]) != "track"
            or not FIELDS.issuperset(message)
            or name in READ
            or not type(name) is type(message_id) is type(stamp) is str
            or not type(properties) is type(context) is dict
            or not (user is None or (type(user) is str and len(user) <= MAX_VALUE))
            or not (anonymous is None or (type(anonymous) is str and len(anonymous) <= MAX_VALUE))
            or (identity := desk.known(user, anonymous)) is None
            or not 0 < len(message_id) <= MAX_MESSAGE_ID
            or not 0 < len(name) <= MAX_NAME
            or name.isspace()
            or get("integrations")
            or arrival.context
            or arrival.integrations
            or not CLOSER.isdisjoint(context)
        ):
            return None
        since = datetime.fromisoformat(stamp) - EPOCH
        occurred_at = (
            since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000 + arrival.skew
        )
        received_at, bot = arrival.received_at, False
        if desk.enrich is not None:
            context, bot = desk.enrich(context, arrival)
        body: EventBody = {
            "v": 1,
            "type": "track",
            "name": name,
            "message_id": message_id,
            "source": desk.name,
            "channel": desk.channel,
            "occurred_at": received_at if occurred_at > received_at + FUTURE else occurred_at,
            "received_at": received_at,
            "sent_at": arrival.sent_at,
            "original_timestamp": stamp,
            "identifiers": identity.identifiers,
            "properties": properties,
            "traits": {},
            "context": context,
        }
        if bot:
            body["bot"] = True
        value = orjson.dumps(body)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return None
    if len(value) > SHORT or b"\\" in value or occurred_at < EARLIEST:
        return None
    if desk.plan is not None and planned(desk.plan, body):
        value = orjson.dumps(body)
    return identity, value
