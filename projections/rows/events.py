"""`cdp.events.v1` -> events_raw: one row an event, with what it states about an order, contract or card."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from orjson import dumps, loads

from projections.table import (
    KAFKA,
    Column,
    Made,
    Record,
    Table,
    Unreadable,
    amount,
    instant,
    list_of,
    optional,
    raw,
    small,
    text,
)
from schemas.event import STATEMENTS
from schemas.semantics import REGISTRY

EVENTS = Table(
    "events_raw",
    (
        Column("key", text),
        Column("keys", raw),
        Column("source", text),
        Column("message_id", text),
        Column("type", text),
        Column("name", text),
        Column("channel", text),
        Column("occurred_at", instant),
        Column("received_at", instant),
        Column("sent_at", optional(instant)),
        Column("original_timestamp", optional(text)),
        Column("identifiers", raw),
        Column("properties", raw),
        Column("traits", raw),
        Column("context", raw),
        Column("bot", small),
        Column("violations", list_of(text)),
        Column("entry", text),
        Column("entry_id", text),
        Column("entry_sub_id", text),
        Column("entry_amount", optional(amount)),
        Column("entry_currency", text),
        *KAFKA,
    ),
)
_ENTRIES = {name: semantic.entry for name, semantic in REGISTRY.items() if semantic.entry}
_NOTHING: tuple[str, str, str, str | None, str] = ("", "", "", None, "")
_STATED = itemgetter("source", "message_id", "type", "name", "channel", "occurred_at", "received_at")


def rows(records: Sequence[Record]) -> Made:
    """Events as columns of EVENTS; ticks, the clock and markers are no events."""
    made = Made()
    found = []
    for record in records:
        try:
            row = _row(record)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            made.unreadable.append(Unreadable(record, f"{type(error).__name__}: {str(error)[:200]}"))
            continue
        if row is not None:
            found.append(row)
    if found:
        made.columns[EVENTS.name] = list(zip(*found, strict=True))
    return made


def _row(record: Record) -> tuple[Any, ...] | None:
    event = loads(record.value or b"")
    if event["type"] in STATEMENTS:
        return None
    source, message_id, type_, name, *rest = _STATED(event)
    get = event.get
    return (
        record.key.decode(),  # type: ignore[union-attr]  # no key: unreadable
        _keys(record.headers),
        source,
        message_id,
        type_,
        name,
        *rest,
        get("sent_at"),
        get("original_timestamp"),
        dumps(event["identifiers"]),
        dumps(event["properties"]),
        dumps(event["traits"]),
        dumps(event["context"]),
        1 if get("bot") else 0,
        get("violations") or [],
        *(_entry(name, event["properties"], message_id) if name in _ENTRIES else _NOTHING),
        record.topic,
        record.partition,
        record.offset,
    )


def _keys(headers: Sequence[tuple[str, bytes]]) -> bytes:
    for name, value in headers:
        if name == "keys":
            return value
    return b""


def _entry(name: str, properties: dict[str, Any], message_id: str) -> tuple[str, str, str, str | None, str]:
    """What the event states for the books; nothing where the fold finds nothing either."""
    try:
        entry = _ENTRIES[name](properties, message_id)
    except ValueError:
        return _NOTHING
    return entry.kind, entry.id, entry.sub_id, entry.amount, entry.currency or ""
