"""Several partitions in memory: the pure core, its commands travelling between them in any order, with crashes."""

import random
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, Field, TypeAdapter

from processors.chunk import Chunk, fold_chunk
from processors.definitions_log import Library
from processors.messages import Change, Definitions
from processors.records import LogRecord, Unfoldable
from processors.rules import room
from processors.turn import Turn
from schemas.changes import (
    IDENTITY_CHANGED,
    LIFECYCLE_CHANGED,
    SEGMENT_CHANGED,
    IdentityChange,
    LifecycleChange,
    SegmentChange,
)
from schemas.commands import Command
from schemas.state import CLUSTER, LINK, POSITION, Position, new_position
from schemas.topics import partition_of
from tests.processors.events import Record, Said

CHANGES: dict[str, type[BaseModel]] = {
    LIFECYCLE_CHANGED: LifecycleChange, SEGMENT_CHANGED: SegmentChange, IDENTITY_CHANGED: IdentityChange,
}  # fmt: skip
COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="kind")])


def assert_bounded(state: Any) -> None:
    """A cluster has no more members than it may, not even once all come to whom it has granted room."""
    promised = sum(members for members, _ in state.get("granted", {}).values())
    most = vars(room)["MAX_MEMBERS"]  # some tests set a smaller one
    assert len(state.get("members", ())) + promised <= most
    assert "granted" in state or "waiting" not in state, "nobody would ever answer who waits"


def assert_at_rest(states: Iterable[Any]) -> None:
    """When nothing is left to read, all room is given back and nobody waits."""
    for state in states:
        assert not state.keys() & {"granted", "waiting"}, state["members"]


class Partition:
    """One partition: its two logs, its committed states and position."""

    def __init__(self, number: int, library: Library, in_force: dict[str, str]) -> None:
        self.number, self.library = number, library
        self.events: list[Record] = []
        self.commands: list[Record] = []
        self.states: dict[str, bytes] = {}
        self.position: Position = {**new_position(), "in_force": dict(in_force)}

    def read(self, key: str) -> bytes | None:
        return self.states.get(key)

    def due(self, until: int, limit: int) -> list[str]:
        found = ((orjson.loads(value).get("due_at"), key) for key, value in self.states.items())
        return [key for at, key in sorted((at, key) for at, key in found if at is not None) if at <= until][
            :limit
        ]

    def keys(self, after: str, limit: int) -> list[str]:
        return sorted(key for key in self.states if key > after)[:limit]

    def compile(self, in_force: dict[str, str]) -> Definitions:
        return self.library.compile(in_force)

    def unread(self) -> list[str]:
        left = {
            "events": len(self.events) - self.position["events"],
            "commands": len(self.commands) - self.position["commands"],
        }
        return [name for name, records in left.items() if records]

    def turns(self, events: int, commands: int) -> Iterator[Turn]:
        """The turns of at most so many records of each log."""
        at: Any = self.position
        logs: list[list[Any]] = [
            self.events[at["events"] :][:events],
            self.commands[at["commands"] :][:commands],
        ]
        return fold_chunk(self.position, Chunk(*logs), self, self.compile)

    def commit(self, turn: Turn) -> None:
        for value in turn.states.values():
            (CLUSTER if orjson.loads(value)["kind"] == "cluster" else LINK).validate_json(value, strict=True)
            assert_bounded(orjson.loads(value))
        POSITION.validate_json(orjson.dumps(turn.position), strict=True)
        self.states |= turn.states
        self.position = turn.position


class World:
    """All partitions, and what they published, in the order of their commits."""

    def __init__(self, library: Library, partitions: int, rules: str, lifecycle: str = "ecommerce") -> None:
        in_force = {"lifecycle": f"lifecycle/{lifecycle}/1", "identity": rules}
        self.partitions = [Partition(number, library, in_force) for number in range(partitions)]
        self.changes: list[Change] = []
        self.rejected: list[tuple[LogRecord, Unfoldable]] = []
        self.folded = self.sent = 0

    def say(self, said: Iterable[Said]) -> "World":
        """Append to the logs: an event to its key's partition, a statement to each."""
        for one in said:
            here = [self._home(one.key)] if one.keys else self.partitions
            for partition in here:
                log = partition.events
                log.append(
                    Record(
                        "t.events.v1", partition.number, len(log), one.key.encode(), one.value, one.headers()
                    )
                )
        return self

    def run(self, dice: random.Random, crash: float = 0.1, most: int = 8, limit: int = 100_000) -> "World":
        """Fold everything, in any order of partitions and logs, in chunks of any size; some are never committed."""
        self.steps(dice, None, crash, most, limit)
        assert_at_rest(self.states().values())
        return self

    def steps(
        self, dice: random.Random, count: int | None, crash: float = 0.1, most: int = 8, limit: int = 100_000
    ) -> None:
        """Fold so many chunks; None: everything."""
        while places := [(p, topic) for p in self.partitions for topic in p.unread()]:
            if count is not None and (count := count - 1) < 0:
                return
            partition, topic = dice.choice(places)
            sizes = {"events": 0, "commands": 0}
            if dice.random() < 0.5:  # both logs in one turn, as a worker that finds both
                sizes = {name: dice.randint(0, most) for name in sizes}
            sizes[topic] = dice.randint(1, most)
            for turn in partition.turns(**sizes):
                if dice.random() < crash:
                    break
                self._commit(partition, turn)
            assert self.folded < limit, "it does not terminate"

    def states(self) -> dict[str, Any]:
        """Every state, parsed."""
        return {key: orjson.loads(v) for p in self.partitions for key, v in p.states.items()}

    def _commit(self, partition: Partition, turn: Turn) -> None:
        before = partition.position
        partition.commit(turn)
        self.folded += (
            turn.position["events"] + turn.position["commands"] - before["events"] - before["commands"]
        )
        for change in turn.changes:
            CHANGES[change.type].model_validate_json(orjson.dumps(change.body))
        self.changes += turn.changes
        self.rejected += turn.rejected
        self.sent += len(turn.commands)
        for command in turn.commands:
            self.send(command.to, command.body)

    def send(self, to: str, body: Any) -> None:
        """Append a command to the log of the identifier addressed."""
        value = orjson.dumps(body)
        COMMAND.validate_json(value, strict=True)
        log = self._home(to).commands
        log.append(Record("t.commands.v1", 0, len(log), to.encode(), value, []))

    def _home(self, key: str) -> Partition:
        return self.partitions[partition_of(key, len(self.partitions))]
