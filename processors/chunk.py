"""A chunk of a partition's log, as one turn or more. Pure: what it remembers comes through `Memory`.

Each turn that is yielded must be committed before the next is asked for. Almost always it is one; a tick that makes
thousands of customers due, or a new definition, takes turns of SLICE customers, the position staying before that
record until the last.
"""

from collections.abc import Callable, Generator, Iterator
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from processors.messages import Definitions, Due, Redefined
from processors.records import LogRecord, Unfoldable, decode
from processors.turn import Turn, fold_events, fold_time, next_turn, reject
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


def fold_events_chunk(
    position: Position, records: list[LogRecord], memory: Memory, compile_: Compile
) -> Iterator[Turn]:
    """The turns that a chunk of cdp.events.v1 makes, from a position on."""
    turn, segment = next_turn(position), []
    for record in records:
        if record.key not in _KEYS:
            segment.append(record)
            continue
        _fold_segment(turn, segment, memory, compile_)
        segment = []
        turn = yield from _state(turn, record, memory, compile_)
        turn.position["events"] = record.offset + 1
    _fold_segment(turn, segment, memory, compile_)
    yield turn


def fold_commands_chunk(position: Position, records: list[LogRecord]) -> Iterator[Turn]:
    """The turn that a chunk of cdp.commands.v1 makes: no command is known yet, so each is rejected."""
    turn = next_turn(position)
    for record in records:
        reject(turn, record, Unfoldable(Reason.UNREADABLE, "unknown command"))
        turn.position["commands"] = record.offset + 1
    yield turn


def _fold_segment(turn: Turn, segment: list[LogRecord], memory: Memory, compile_: Compile) -> None:
    if segment:
        fold_events(turn, segment, memory.read, compile_(turn.position["in_force"]))
        turn.position["events"] = segment[-1].offset + 1


def _state(turn: Turn, record: LogRecord, memory: Memory, compile_: Compile) -> Generator[Turn, None, Turn]:
    """Let one statement of the deployment come true; gives the turn to go on with."""
    try:
        statement = _statement(decode(record))
    except Unfoldable as error:
        reject(turn, record, error)
        return turn
    match statement:
        case Tick() if statement.at > turn.position["clock_at"] and (
            turn.position["running"] or statement.by == "importer"
        ):
            turn = yield from _tick(turn, statement.at, memory, compile_)
            turn.position["clock_at"] = statement.at
        case Clock():
            turn.position["running"] = statement.running
            if not statement.running:
                turn.position["clock_at"] = 0
        case Marker():
            turn = yield from _mark(turn, statement, memory, compile_)
    return turn


def _statement(body: dict[str, Any]) -> Tick | Clock | Marker:
    try:
        return _STATEMENT.validate_python(body)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        raise Unfoldable(Reason.UNREADABLE, f"not a statement: {fault['msg']}") from None


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
    """Put a definition in force; a new lifecycle is evaluated for every customer at once."""
    before = turn.position["in_force"]
    after = {**before, marker.kind: marker.definition}
    if marker.kind == "lifecycle" and "lifecycle" in before:
        if turn.states:
            yield turn
            turn = next_turn(turn.position)
        definitions, at, last = compile_(after), turn.position["clock_at"], ""
        while keys := memory.keys(last, SLICE):
            for key in keys:
                fold_time(turn, key, Redefined(key, marker.definition, at), memory.read, definitions)
            last = keys[-1]
            yield turn
            turn = next_turn(turn.position)
    turn.position["in_force"] = after
    return turn
