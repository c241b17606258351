"""A chunk of a partition's logs, as one turn or more. Pure: what it remembers comes through `Memory`.

Each turn that is yielded must be committed before the next is asked for. Almost always it is one, of commands and
events together; a tick that makes thousands of customers due, or a new definition, takes turns of SLICE customers, the
position staying before that record until the last.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from pydantic import TypeAdapter, ValidationError

from processors.messages import Definitions, Due, Redefined
from processors.records import LogRecord, Unfoldable, decode
from processors.turn import Timed, Turn, arrived, fold_records, fold_time, next_turn, reject, told
from schemas.event import STATEMENTS, Clock, Marker, Tick
from schemas.rejected import Reason
from schemas.state import Position

SLICE = 2_000
_STATEMENT: TypeAdapter[Tick | Clock | Marker] = TypeAdapter(Tick | Clock | Marker)
_KEYS = frozenset(name.encode() for name in STATEMENTS)


class Memory(Protocol):
    """The committed states of a partition."""

    def read(self, key: str) -> bytes | None:
        """The state of a key."""

    def due(self, until: int, limit: int) -> list[str]:
        """At most `limit` keys that are due by `until`, the earliest first."""

    def keys(self, after: str, limit: int) -> list[str]:
        """At most `limit` keys greater than `after`, in order."""


Compile = Callable[[dict[str, str]], Definitions]


class Chunk(NamedTuple):
    """What was read on of a partition's two logs; commands only where definitions are in force at its position."""

    events: Sequence[LogRecord] = ()
    commands: Sequence[LogRecord] = ()

    @property
    def size(self) -> int:
        """Records of both."""
        return len(self.events) + len(self.commands)


@dataclass(slots=True)
class Pending:
    """Events that are read and not yet folded, each with the clock before it, and the last tick among them.

    Only that one need act on everybody: a customer who is due at an earlier one comes true at the same instants when
    the last does, or before its own next event. So ticks, however dense, do not cut the events into small groups.
    """

    clock_at: int
    events: list[Timed] = field(default_factory=list)
    tick: LogRecord | None = None
    before_tick: int = 0  # the clock before the last tick
    until_tick: int = 0  # how many of the events come before it


def fold_chunk(position: Position, chunk: Chunk, memory: Memory, compile_: Compile) -> Iterator[Turn]:
    """The turns that a chunk makes, from a position on: its commands, then its events.

    Either order is right. Commands first, for the clock: they are older than a tick that was read with them, and what
    they bring should come true before it; nor do they wait for the slices that it takes.
    """
    turn = next_turn(position)
    _fold_commands(turn, chunk.commands, memory, compile_)
    yield from _fold_log(turn, chunk.events, memory, compile_)


def _fold_commands(turn: Turn, records: Sequence[LogRecord], memory: Memory, compile_: Compile) -> None:
    if records:
        timed = [(record, turn.position["clock_at"]) for record in records]
        fold_records(turn, timed, told, memory.read, compile_(turn.position["in_force"]))
        turn.position["commands"] = records[-1].offset + 1


def _fold_log(turn: Turn, records: Sequence[LogRecord], memory: Memory, compile_: Compile) -> Iterator[Turn]:
    """Fold events and statements, into this turn and those that follow it."""
    pending = Pending(turn.position["clock_at"])
    for record in records:
        if record.key not in _KEYS:
            pending.events.append((record, pending.clock_at))
            continue
        statement = _statement(turn, record)
        if isinstance(statement, Tick):
            _note(pending, turn, record, statement)
        elif statement is not None:
            turn = yield from _fold(turn, pending, memory, compile_)
            turn.position["events"] = record.offset
            turn = yield from _state(turn, statement, memory, compile_)
            pending = Pending(turn.position["clock_at"])
            turn.position["events"] = record.offset + 1
    turn = yield from _fold(turn, pending, memory, compile_)
    if records:
        turn.position["events"] = records[-1].offset + 1
    yield turn


def _statement(turn: Turn, record: LogRecord) -> Tick | Clock | Marker | None:
    """What the deployment states; None, and a rejection, where that cannot be read."""
    try:
        return _STATEMENT.validate_python(decode(record))
    except Unfoldable as error:
        reject(turn, record, error)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        reject(turn, record, Unfoldable(Reason.UNREADABLE, f"not a statement: {fault['msg']}"))
    return None


def _note(pending: Pending, turn: Turn, record: LogRecord, tick: Tick) -> None:
    """Take a tick in, unless it is not later than the last or an owner's while the clock is held."""
    if tick.at > pending.clock_at and (turn.position["running"] or tick.by == "importer"):
        pending.tick, pending.before_tick, pending.until_tick = record, pending.clock_at, len(pending.events)
        pending.clock_at = tick.at


def _fold(turn: Turn, pending: Pending, memory: Memory, compile_: Compile) -> Generator[Turn, None, Turn]:
    """Fold what is pending: events up to the last tick, that, and the events after it."""
    if pending.tick is not None:
        _fold_events(turn, pending.events[: pending.until_tick], memory, compile_)
        turn.position["events"], turn.position["clock_at"] = pending.tick.offset, pending.before_tick
        turn = yield from _tick(turn, pending.clock_at, memory, compile_)
        turn.position["events"], turn.position["clock_at"] = pending.tick.offset + 1, pending.clock_at
    _fold_events(turn, pending.events[pending.until_tick :], memory, compile_)
    return turn


def _fold_events(turn: Turn, events: list[Timed], memory: Memory, compile_: Compile) -> None:
    if events:
        fold_records(turn, events, arrived, memory.read, compile_(turn.position["in_force"]))
        turn.position["folded"] += len(events)
        turn.position["events"] = events[-1][0].offset + 1


def _state(
    turn: Turn, statement: Clock | Marker, memory: Memory, compile_: Compile
) -> Generator[Turn, None, Turn]:
    """Let a statement come true; gives the turn to go on with."""
    if isinstance(statement, Marker):
        return (yield from _mark(turn, statement, memory, compile_))
    turn.position["running"] = statement.running
    if not statement.running:
        turn.position["clock_at"] = 0
    return turn


def _tick(turn: Turn, at: int, memory: Memory, compile_: Compile) -> Generator[Turn, None, Turn]:
    """Let every customer that is due by `at` come true; what this turn changed counts as it is now."""
    while True:
        stored = memory.due(at, SLICE)
        mine = [key for key, (_, now) in turn.due.items() if now is not None and now <= at]
        keys = mine + [key for key in stored if key not in turn.due]
        if keys:
            definitions = compile_(turn.position["in_force"])
            for key in keys:
                fold_time(turn, key, Due(key, at), memory.read, definitions)
        if len(stored) < SLICE:
            return turn
        yield turn
        turn = next_turn(turn.position)


def _mark(turn: Turn, marker: Marker, memory: Memory, compile_: Compile) -> Generator[Turn, None, Turn]:
    """Put a definition in force; where others were before it, everything is evaluated for every customer at once.

    From `collecting` on new leaves are only remembered, until their model comes into force. What takes several turns is
    in force with the first: should they end there, what comes meanwhile is folded as what is done already was.
    """
    before = turn.position["in_force"]
    after = {**before, marker.kind: marker.definition}
    if marker.kind == "model":
        after.pop("collecting", None)
    if marker.kind != "collecting" and "identity" in before and ("lifecycle" in before or "model" in before):
        if turn.states:
            yield turn
            turn = next_turn(turn.position)
        turn.position["in_force"] = after
        definitions, at, last = compile_(after), turn.position["clock_at"], ""
        while keys := memory.keys(last, SLICE):
            for key in keys:
                fold_time(turn, key, Redefined(key, marker.definition, at), memory.read, definitions)
            last = keys[-1]
            yield turn
            turn = next_turn(turn.position)
    turn.position["in_force"] = after
    return turn
