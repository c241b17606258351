"""A turn: what one transaction of a partition changes. Pure.

Events are folded key by key, not record by record: the order within a key is all that matters, and so one decoded state
at a time is alive, hot in the cache, however large the chunk.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import orjson

from processors.handle import handle
from processors.messages import (
    Arrived,
    Backfilled,
    Change,
    Command,
    Definitions,
    Due,
    Failed,
    Message,
    Output,
    Redefined,
    Told,
)
from processors.records import LogRecord, Unfoldable, command_of, decode, event_of, keys_of
from processors.rules.remembered import NoPart, number_of
from schemas.books import BooksFull
from schemas.rejected import Reason
from schemas.state import MAX_STATE_BYTES, Position, State, upcast

Read = Callable[[str], bytes | None]
Timed = tuple[LogRecord, int]
"""An event's or a command's record, and the partition's clock (Unix ms) before it."""
MessageOf = Callable[[str, LogRecord, int], Message]
"""A record, at the identifier that it addresses, as a message: `arrived` or `told`."""


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
    failed: Counter[str] = field(default_factory=Counter)  # definitions that failed on a customer's data


def next_turn(position: Position) -> Turn:
    """An empty turn at a position."""
    return Turn(cast("Position", {**position, "in_force": dict(position["in_force"])}))


def fold_records(
    turn: Turn, records: list[Timed], message_of: MessageOf, read: Read, definitions: Definitions
) -> None:
    """Fold events (no statements among them) or commands into the turn. What cannot be folded is noted as rejected."""
    by_key: dict[bytes, list[Timed]] = {}
    for record in records:
        raw = record[0].key or b""
        group = by_key.get(raw)
        if group is None:
            by_key[raw] = [record]
        else:
            group.append(record)
    for raw, group in by_key.items():
        _fold_key(turn, raw, group, message_of, read, definitions)


def _fold_key(
    turn: Turn, raw: bytes, records: list[Timed], message_of: MessageOf, read: Read, definitions: Definitions
) -> None:
    key = _identifier(raw)
    if key is None:
        for record, _ in records:
            reject(turn, record, Unfoldable(Reason.UNREADABLE, "the record key is no identifier's"))
        return
    state, value, before = _load(turn, key, read)
    rev, outputs = state["rev"] if state else 0, list[Output]()
    try:
        for record, clock_at in records:
            state, made = handle(state, message_of(key, record, clock_at), definitions)
            outputs += made
        folded = orjson.dumps(state) if state and state["rev"] != rev else b""
    except Exception:  # noqa: BLE001 -- whatever it is, the careful way tells which record it was
        folded = None
    if folded is None or len(folded) > MAX_STATE_BYTES:
        _fold_carefully(turn, key, records, message_of, value, before, definitions)
        return
    if folded and state is not None:
        _keep(turn, key, folded, (before, _due_at(state)))
    _send(turn, outputs)


def _fold_carefully(
    turn: Turn,
    key: str,
    records: list[Timed],
    message_of: MessageOf,
    value: bytes | None,
    before: int | None,
    definitions: Definitions,
) -> None:
    """Fold record by record, each on its own: exactly what cannot be folded is rejected."""
    state, outputs, first = _parsed(value), list[Output](), value
    for record, clock_at in records:
        try:
            message = message_of(key, record, clock_at)
            state, made = handle(state, message, definitions)
            grown = _bounded(state, value, message)
        except Exception as error:  # noqa: BLE001 -- it is told in the rejection
            reject(turn, record, _why(error))
            if isinstance(error, NoPart):
                _note_backfill(turn.position, error.model)
            state = _parsed(value)
        else:
            value, outputs = grown, outputs + made
    if value is not None and value != first and state is not None:
        _keep(turn, key, value, (before, _due_at(state)))
    _send(turn, outputs)


def arrived(key: str, record: LogRecord, clock_at: int) -> Message:
    """An event's record as a message; Unfoldable where it is none."""
    return Arrived(key, keys_of(record, key), event_of(decode(record)), clock_at)


def told(key: str, record: LogRecord, clock_at: int) -> Message:
    """A command's record as a message; Unfoldable where it is none."""
    return Told(key, command_of(decode(record)), clock_at)


def _bounded(state: State | None, before: bytes | None, message: Message) -> bytes | None:
    """The state as it will be stored; Unfoldable where an event would let it grow beyond its bound.

    What a root gives to another is taken whatever its size: refusing is for the claim before it.
    """
    value = None if state is None else orjson.dumps(state)
    if isinstance(message, Told) and message.command["kind"] != "deliver":
        return value
    if value is not None and len(value) > MAX_STATE_BYTES and len(value) > len(before or b""):
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
    if state is None or state["kind"] == "link":
        return
    # no bound here: time makes no state larger by more than a few digits, and what falls due must come true
    _keep(turn, key, orjson.dumps(state), (before, _due_at(state)))
    _send(turn, outputs)


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


def _keep(turn: Turn, key: str, value: bytes, due: tuple[int | None, int | None]) -> None:
    turn.states[key] = bytes(
        memoryview(value)
    )  # a copy: orjson's own keeps its whole buffer, up to eight times as much
    turn.due[key] = due


def _send(turn: Turn, outputs: list[Output]) -> None:
    for output in outputs:
        match output:
            case Change():
                turn.changes.append(output)
            case Command():
                turn.commands.append(output)
            case Failed():
                turn.failed[output.definition] += 1
            case Backfilled():
                _note_backfill(turn.position, output.model)


def _note_backfill(position: Position, model: str) -> None:
    """Count one more of a model's; an older model's do not matter any more."""
    known = position.get("backfilled")
    if known is not None and known[0] == model:
        position["backfilled"] = [model, known[1] + 1]
    elif known is None or number_of(model) > number_of(known[0]):
        position["backfilled"] = [model, 1]


def _due_at(state: State) -> int | None:
    return state["due_at"] if state["kind"] == "cluster" else None


def reject(turn: Turn, record: LogRecord, why: Unfoldable) -> None:
    """Note that a record is not folded."""
    turn.rejected.append((record, why))
    turn.position["rejected"] += 1
