"""A turn: what one transaction of a partition changes. Pure.

Events are folded key by key, not record by record: the order within a key is all that matters, and so one decoded state
at a time is alive, hot in the cache, however large the chunk.
"""

from collections.abc import Callable
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
Timed = tuple[LogRecord, int]
"""An event's record, and the partition's clock (Unix ms) before it."""


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


def fold_events(turn: Turn, events: list[Timed], read: Read, definitions: Definitions) -> None:
    """Fold events (no statements among them) into the turn. What cannot be folded is noted as rejected."""
    by_key: dict[bytes, list[Timed]] = {}
    for event in events:
        raw = event[0].key or b""
        group = by_key.get(raw)
        if group is None:
            by_key[raw] = [event]
        else:
            group.append(event)
    for raw, group in by_key.items():
        _fold_key(turn, raw, group, read, definitions)
    turn.position["folded"] += len(events)


def _fold_key(turn: Turn, raw: bytes, events: list[Timed], read: Read, definitions: Definitions) -> None:
    key = _identifier(raw)
    if key is None:
        for record, _ in events:
            reject(turn, record, Unfoldable(Reason.UNREADABLE, "the record key is no identifier's"))
        return
    state, value, before = _load(turn, key, read)
    rev, outputs = state["rev"] if state else 0, list[Output]()
    try:
        for record, clock_at in events:
            state, made = _fold(state, key, record, clock_at, definitions)
            outputs += made
        folded = orjson.dumps(state) if state and state["rev"] != rev else None
    except Exception:  # noqa: BLE001 -- whatever it is, the careful way tells which record it was
        folded = None
        _fold_carefully(turn, key, events, value, before, definitions)
    if folded is not None and len(folded) > MAX_STATE_BYTES:
        _fold_carefully(turn, key, events, value, before, definitions)
    elif folded is not None and state is not None:
        _keep(turn, key, folded, (before, _due_at(state)), outputs)


def _fold_carefully(
    turn: Turn,
    key: str,
    events: list[Timed],
    value: bytes | None,
    before: int | None,
    definitions: Definitions,
) -> None:
    """Fold record by record, each on its own: exactly what cannot be folded is rejected."""
    state, outputs, first = _parsed(value), list[Output](), value
    for record, clock_at in events:
        try:
            state, made = _fold(state, key, record, clock_at, definitions)
            grown = _bounded(state, value)
        except Exception as error:  # noqa: BLE001 -- it is told in the rejection
            reject(turn, record, _why(error))
            state = _parsed(value)
        else:
            value, outputs = grown, outputs + made
    if value is not None and value != first and state is not None:
        _keep(turn, key, value, (before, _due_at(state)), outputs)


def _fold(
    state: State | None, key: str, record: LogRecord, clock_at: int, definitions: Definitions
) -> tuple[State, list[Output]]:
    event = event_of(decode(record))
    return handle(state, Arrived(key, keys_of(record, key), event, clock_at), definitions)


def _bounded(state: State, before: bytes | None) -> bytes:
    """The state as it will be stored; Unfoldable where it would grow beyond its bound."""
    value = orjson.dumps(state)
    if len(value) > MAX_STATE_BYTES and len(value) > len(before or b""):
        raise Unfoldable(Reason.STATE_FULL, f"the customer's state would exceed {MAX_STATE_BYTES} bytes")
    return value


def _why(error: Exception) -> Unfoldable:
    if isinstance(error, Unfoldable):
        return error
    if isinstance(error, BooksFull):
        return Unfoldable(Reason.STATE_FULL, str(error))
    return Unfoldable(Reason.UNFOLDABLE, f"{type(error).__name__}: {error}"[:500])


def _identifier(raw: bytes) -> str | None:
    try:
        key = raw.decode()
    except UnicodeDecodeError:
        return None
    return key if ":" in key else None


def fold_time(turn: Turn, key: str, message: Due | Redefined, read: Read, definitions: Definitions) -> None:
    """Let a message that no event brings (the clock, a definition) act on one key."""
    state, _, before = _load(turn, key, read)
    if state is None:
        return
    state, outputs = handle(state, cast("Message", message), definitions)
    # no bound here: time makes no state larger by more than a few digits, and what falls due must come true
    _keep(turn, key, orjson.dumps(state), (before, _due_at(state)), outputs)


def _load(turn: Turn, key: str, read: Read) -> tuple[State | None, bytes | None, int | None]:
    """The state of a key, parsed and as it is, and its place in the stored due index."""
    value = turn.states.get(key)
    if value is not None:
        return _parsed(value), value, turn.due[key][0]
    value = read(key)
    state = _parsed(value)
    return state, value, _due_at(state) if state else None


def _parsed(value: bytes | None) -> State | None:
    return None if value is None else cast("State", upcast(orjson.loads(value)))


def _keep(
    turn: Turn, key: str, value: bytes, due: tuple[int | None, int | None], outputs: list[Output]
) -> None:
    turn.states[key] = value
    turn.due[key] = due
    for output in outputs:
        if isinstance(output, Change):
            turn.changes.append(output)
        else:
            turn.commands.append(output)


def _due_at(state: State) -> int | None:
    return state["due_at"] if state["kind"] == "cluster" else None


def reject(turn: Turn, record: LogRecord, why: Unfoldable) -> None:
    """Note that a record is not folded."""
    turn.rejected.append((record, why))
    turn.position["rejected"] += 1
