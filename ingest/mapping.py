"""Rows of somebody else's making to messages, as their mapping says (`schemas.mapping`). Pure; compiled once.

    row -> the first event whose `when` holds -> message -> ingest.accept

A message is Segment's, as an SDK would have sent it. Where the mapping names no columns for `messageId` it has none,
and `content_id` gives what tells rows apart.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import orjson

from ingest.canonical import MAX_MESSAGE_ID
from ingest.picking import Locale, Row, getter, instant, picked, plain, told
from ingest.refusal import Refusal, invalid
from schemas.mapping import MappedEvent
from schemas.mapping import Mapping as RowMapping
from schemas.picks import as_text

Message = dict[str, Any]
Mapped = Callable[[Row], Message | None]
"""A row's message; None where the mapping leaves such rows out. Refusal where the row cannot be read, nothing else."""
OWN = {"user_id": "userId", "anonymous_id": "anonymousId"}
"""Fields that Segment has for identifiers; the others are external ids."""


def compiled(mapping: RowMapping, timezone: str) -> Mapped:
    """The function of a mapping; `timezone`: the deployment's, of times for which the mapping names none."""
    locale = Locale(mapping.timezone or timezone, mapping.decimal, frozenset(mapping.empty))
    events = [(_when(event), _event(event, mapping, locale)) for event in mapping.events]
    skip = mapping.otherwise == "skip"

    def message(row: Row) -> Message | None:
        try:
            for holds, make in events:
                if holds(row):
                    return make(row)
        except Refusal:
            raise
        except (ValueError, TypeError, OverflowError, RecursionError, ArithmeticError) as error:
            raise invalid(f"the row cannot be read: {type(error).__name__}") from None
        if skip:
            return None
        raise invalid("no event of the mapping is for such a row")

    return message


def content_id(name: str, row: Row, occurrence: int = 0) -> str:
    """A messageId of all that a row says, whatever the order of its columns; `occurrence`: of equal rows."""
    try:
        said = orjson.dumps(plain(row), option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    except (TypeError, RecursionError):
        said = repr(sorted(row.items(), key=lambda each: str(each[0]))).encode("utf-8", "surrogatepass")
    return f"{name}/{_digest(said)}" + (f"/{occurrence + 1}" if occurrence else "")


def _digest(said: bytes) -> str:
    return blake2b(said, digest_size=16, person=b"cdp-row").hexdigest()


def _when(event: MappedEvent) -> Callable[[Row], bool]:
    asked = [(getter(when.column), frozenset(when.is_)) for when in event.when]
    if not asked:
        return lambda _: True

    def holds(row: Row) -> bool:
        return all(as_text(get(row)) in texts for get, texts in asked)

    return holds


def _event(event: MappedEvent, mapping: RowMapping, locale: Locale) -> Callable[[Row], Message]:
    """What makes a message of a row that is this event's."""
    name = picked(event.event, locale) if event.event else None
    properties = [(field, picked(pick, locale)) for field, pick in event.properties.items()]
    traits = [(field, picked(pick, locale)) for field, pick in event.traits.items()]
    who = [
        (namespace, told(pick.column, locale))
        for namespace, picks in event.identifiers.items()
        for pick in picks
        if pick.column is not None
    ]
    at = instant(event.time, locale) if event.time else None
    id_ = _id(event, mapping.name, locale) if event.message_id else None
    title, keep = "event" if event.type == "track" else "name", mapping.original == "keep"

    def make(row: Row) -> Message:
        message: Message = {"type": event.type}
        if name is not None:
            named = name(row)
            if named is None:
                raise invalid("the row does not name its event")
            message[title] = as_text(named)
        message["properties"] = _given(properties, row)
        if traits:
            message["traits"] = _given(traits, row)
        context: Message = {"original": plain(row)} if keep else {}
        for namespace, told_ in who:
            if value := told_(row):
                if (own := OWN.get(namespace)) and own not in message:
                    message[own] = value
                else:
                    context.setdefault("externalIds", []).append({"id": value, "type": namespace})
        message["context"] = context
        if at is not None:
            message["timestamp"] = at(row)
        if id_ is not None:
            message["messageId"] = id_(row, message.get(title, event.type))
        return message

    return make


def _given(fields: list[tuple[str, Callable[[Row], Any]]], row: Row) -> Message:
    return {field: value for field, pick in fields if (value := pick(row)) is not None}


def _id(event: MappedEvent, name: str, locale: Locale) -> Callable[[Row, str], str]:
    """A messageId of columns: readable where that is short enough."""
    columns = [told(way, locale) for way in event.message_id or ()]

    def make(row: Row, of: str) -> str:
        values = [column(row) for column in columns]
        if not any(values):
            raise invalid("the columns of message_id are empty")
        whole = "/".join(value.replace("~", "~0").replace("/", "~1") for value in (name, of, *values))
        return (
            whole
            if len(whole) <= MAX_MESSAGE_ID
            else f"{name}/{_digest(whole.encode('utf-8', 'surrogatepass'))}"
        )

    return make
