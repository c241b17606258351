"""A turn: what one transaction of a partition changes. Pure.

Events are folded key by key, not record by record: the order within a key is all that matters, and so one decoded state
at a time is alive, hot in the cache, however large the chunk.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import cast

import orjson

from processors.handle import handle
from processors.messages import Arrived, Change, Command, Definitions, Due, Message, Output, Redefined
from processors.records import LogRecord, Unfoldable, decode, event_of, keys_of
from schemas.books import BooksFull
from schemas.rejected import Reason
from schemas.state import MAX_STATE_BYTES, Position, State, upcast

Read = Callable[[str], bytes | None]


@dataclass(slots=True)
class Turn:
    """States by key as they will be stored, what is to be published, and the position that follows.

    `due` holds, for each changed key, (due_at as stored before, due_at now).
    """

    position: Position
    states: dict[str, bytes] = field(default_factory=dict)
    due: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    rejected: list[tuple[LogRecord, Unfoldable]] = field(default_factory=list)


def next_turn(position: Position) -> Turn:
    """An empty turn at a position."""
    return Turn(cast("Position", {**position, "in_force": dict(position["in_force"])}))


def fold_events(turn: Turn, records: Iterable[LogRecord], read: Read, definitions: Definitions) -> None:
    """Fold events (no statements among them) into the turn. What cannot be folded is noted as rejected."""
    by_key: dict[bytes, list[LogRecord]] = {}
    count = 0
    for record in records:
        count += 1
        group = by_key.get(record.key or b"")
        if group is None:
            by_key[record.key or b""] = [record]
        else:
            group.append(record)
    for raw, group in by_key.items():
        _fold_key(turn, raw, group, read, definitions)
    turn.position["folded"] += count


def _fold_key(turn: Turn, raw: bytes, records: list[LogRecord], read: Read, definitions: Definitions) -> None:
    key = raw.decode("utf-8", "replace")
    if ":" not in key:
        for record in records:
            reject(turn, record, Unfoldable(Reason.UNREADABLE, "the record key is no identifier's"))
        return
    while records:
        try:
            _fold_all(turn, key, records, read, definitions)
        except _RejectedError as error:
            reject(turn, error.record, error.why)
            records = [record for record in records if record is not error.record]
        else:
            return


class _RejectedError(Exception):
    """One record of a key cannot be folded: the others are folded again without it."""

    def __init__(self, record: LogRecord, why: Unfoldable) -> None:
        self.record, self.why = record, why


def _fold_all(turn: Turn, key: str, records: list[LogRecord], read: Read, definitions: Definitions) -> None:
    state, before = _load(turn, key, read)
    rev, outputs = state["rev"] if state else 0, []
    clock_at = turn.position["clock_at"]
    for record in records:
        try:
            event = event_of(decode(record))
            state, made = handle(state, Arrived(key, keys_of(record, key), event, clock_at), definitions)
        except Unfoldable as error:
            raise _RejectedError(record, error) from None
        except BooksFull as error:
            raise _RejectedError(record, Unfoldable(Reason.STATE_FULL, str(error))) from None
        except Exception as error:
            why = Unfoldable(Reason.UNFOLDABLE, f"{type(error).__name__}: {error}"[:500])
            raise _RejectedError(record, why) from error
        outputs += made
    if state is not None and state["rev"] != rev and not _keep(turn, key, state, before, outputs):
        detail = f"the customer's state would exceed {MAX_STATE_BYTES} bytes"
        raise _RejectedError(records[-1], Unfoldable(Reason.STATE_FULL, detail))


def fold_time(turn: Turn, key: str, message: Due | Redefined, read: Read, definitions: Definitions) -> None:
    """Let a message that no event brings (the clock, a definition) act on one key."""
    state, before = _load(turn, key, read)
    if state is None:
        return
    state, outputs = handle(state, cast("Message", message), definitions)
    _keep(turn, key, state, before, outputs)


def _load(turn: Turn, key: str, read: Read) -> tuple[State | None, int | None]:
    value = turn.states.get(key)
    if value is None:
        value = read(key)
    if value is None:
        return None, None
    state = cast("State", upcast(orjson.loads(value)))
    known = turn.due.get(key)
    return state, known[0] if known else _due_at(state)


def _keep(turn: Turn, key: str, state: State, before: int | None, outputs: list[Output]) -> bool:
    value = orjson.dumps(state)
    if len(value) > MAX_STATE_BYTES:
        return False
    turn.states[key] = value
    turn.due[key] = (before, _due_at(state))
    for output in outputs:
        if isinstance(output, Change):
            turn.changes.append(output)
        else:
            turn.commands.append(output)
    return True


def _due_at(state: State) -> int | None:
    return state["due_at"] if state["kind"] == "cluster" else None


def reject(turn: Turn, record: LogRecord, why: Unfoldable) -> None:
    """Note that a record is not folded."""
    turn.rejected.append((record, why))
    turn.position["rejected"] += 1
