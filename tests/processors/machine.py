"""A partition in memory: the pure core with a `Memory` that commits each turn, as a worker would."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import orjson

from processors.chunk import Chunk, fold_chunk
from processors.definitions_log import Library
from processors.messages import Change, Definitions
from processors.records import LogRecord, Unfoldable
from processors.turn import Turn
from schemas.definitions import Definition, key_of, load
from schemas.genesis import Genesis
from schemas.state import CLUSTER, POSITION, Position, new_position
from tests.processors.events import Record, Said


def library(timezone: str = "UTC", *others: Definition) -> Library:
    """The presets, and other definitions, as if read from the log."""
    genesis = Genesis(
        deployment="d", partitions=1, timezone=timezone, currency="USD", key_fingerprint="f", created_at=0
    )
    known = [load("ecommerce", "lifecycle"), load("gym", "lifecycle"), load("default", "identity"), *others]
    return Library(genesis, {key_of(definition): definition for definition in known})


class Crash(Exception):
    """The worker was killed."""


class Machine:
    """States, position and all that was published. `crash_at`: the turn (1, 2, ...) that is never committed."""

    def __init__(self, lifecycle: str = "ecommerce", timezone: str = "UTC", *others: Definition) -> None:
        self.library = library(timezone, *others)
        self.states: dict[str, bytes] = {}
        self.position: Position = new_position()
        self.position["in_force"] = {
            "lifecycle": f"lifecycle/{lifecycle}/1",
            "identity": "identity/default/1",
        }
        self.changes: list[Change] = []
        self.rejected: list[tuple[LogRecord, Unfoldable]] = []
        self.failed: Counter[str] = Counter()
        self.turns = 0
        self.crash_at: int | None = None
        self.log: list[Record] = []
        self.commands: list[Record] = []

    # Memory
    def read(self, key: str) -> bytes | None:
        return self.states.get(key)

    def due(self, until: int, limit: int) -> list[str]:
        index = sorted((at, key) for key in self.states if (at := self.due_at(key)) is not None)
        return [key for at, key in index if at <= until][:limit]

    def keys(self, after: str, limit: int) -> list[str]:
        return sorted(key for key in self.states if key > after)[:limit]

    def compile(self, in_force: dict[str, str]) -> Definitions:
        return self.library.compile(in_force)

    # driving it
    def feed(self, *said: Said, chunk: int = 10_000) -> "Machine":
        """Append to the log and fold to its end, in chunks of at most so many records."""
        for one in said:
            headers = one.headers()
            self.log.append(Record("t.events.v1", 0, len(self.log), one.key.encode(), one.value, headers))
        return self.run(chunk)

    def feed_raw(self, key: bytes | None, value: bytes | None) -> "Machine":
        """Append a record of any bytes and fold it."""
        self.log.append(Record("t.events.v1", 0, len(self.log), key, value, []))
        return self.run()

    def tell(self, who: str, *bodies: Any) -> "Machine":
        """Append to the log of commands; they are read with the events that are fed next."""
        for body in bodies:
            value = body if isinstance(body, bytes) else orjson.dumps(body)
            key = f"user_id:{who}".encode()
            self.commands.append(Record("t.commands.v1", 0, len(self.commands), key, value, []))
        return self

    def run(self, chunk: int = 10_000) -> "Machine":
        """Fold from the committed position to the end of both logs, in chunks of at most so many records of each."""
        while self.position["events"] < len(self.log) or self.position["commands"] < len(self.commands):
            for turn in fold_chunk(self.position, self.chunk(chunk), self, self.compile):
                self.turns += 1
                if self.turns == self.crash_at:
                    raise Crash
                self.commit(turn)
        return self

    def chunk(self, most: int) -> Chunk:
        logs: list[list[Any]] = [
            self.log[self.position["events"] :],
            self.commands[self.position["commands"] :],
        ]
        return Chunk(*(log[:most] for log in logs))

    def commit(self, turn: Turn) -> None:
        """What one transaction does; everything in it is held to the contract of the state topic."""
        for key, (before, now) in turn.due.items():
            assert before == self.due_at(key), "the due index would keep what is no more"
            assert now == orjson.loads(turn.states[key])["due_at"]
        for value in turn.states.values():
            CLUSTER.validate_json(value, strict=True)
        POSITION.validate_json(orjson.dumps(turn.position), strict=True)
        self.states |= turn.states
        self.position = turn.position
        self.changes += turn.changes
        self.rejected += turn.rejected
        self.failed += turn.failed

    # reading it
    def due_at(self, key: str) -> int | None:
        value = self.states.get(key)
        due: int | None = orjson.loads(value)["due_at"] if value else None
        return due

    def state(self, who: str = "ada") -> dict[str, Any]:
        state: dict[str, Any] = orjson.loads(self.states[f"user_id:{who}"])
        return state

    def parts(self) -> dict[str, Any]:
        """Everybody's facts."""
        return {key: orjson.loads(value)["parts"] for key, value in self.states.items()}

    def stage(self, who: str = "ada") -> str:
        """The one stage of a customer."""
        ((_, published),) = self.state(who)["published"].items()
        stage: str = published["stage"]
        return stage

    def stages(self) -> dict[str, str]:
        return {key: self.stage(key.removeprefix("user_id:")) for key in self.states}

    def way(self, who: str = "ada") -> list[str | None]:
        """Where a customer came from, and every stage since."""
        mine = [c.body for c in self.changes if c.customer_id in self.state(who)["published"]]
        assert [body["from"] for body in mine[1:]] == [body["to"] for body in mine[:-1]]
        assert [body["sequence"] for body in mine] == list(range(1, len(mine) + 1))
        return [mine[0]["from"], *(body["to"] for body in mine)] if mine else []


def folded(said: Iterable[Said], lifecycle: str = "ecommerce", timezone: str = "UTC") -> Machine:
    """A new partition after this log."""
    return Machine(lifecycle, timezone).feed(*said)


def delivered(said: Said, clock_at: int = 0) -> dict[str, Any]:
    """An event that a Link sends on, as a command."""
    event = orjson.loads(said.value)
    return {"v": 1, "kind": "deliver", "keys": said.keys.split(" "), "event": event, "clock_at": clock_at}
