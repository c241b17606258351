"""A log folded in memory, and everything that was committed on the way as records for the projections."""

import random
from collections.abc import Iterable
from typing import Any

import orjson
from clickhouse_driver import Client

from processors.turn import Turn
from projections.batch import make
from projections.registry import PROJECTIONS
from projections.store import insert_all
from schemas import topics
from schemas.topics import Topic
from tests.identity_oracle import Stated
from tests.processors.identities import SMALL, rules_of, said
from tests.processors.machine import library
from tests.processors.world import Partition, World
from tests.projections.log import Rec

Written = tuple[Topic, Rec]


class Story(World):
    """Several partitions; `written`: every record of the topics that the sink reads, in the order of the commits."""

    def __init__(self, limits: dict[str, int] | None = None, partitions: int = 3) -> None:
        rules = rules_of(limits or {})
        super().__init__(library("UTC", rules), partitions, SMALL)
        self.written: list[Written] = []

    def tell(self, *log: Stated, seed: int = 0) -> "Story":
        """Append events and fold to the end; every state on the way is written."""
        for one in log:
            self._write(topics.EVENTS, one.keys[0], orjson.dumps(one.body), " ".join(one.keys))
        self.say(map(said, log)).run(random.Random(seed))
        return self

    def _commit(self, partition: Partition, turn: Turn) -> None:
        super()._commit(partition, turn)
        for key, value in turn.states.items():
            self._write(topics.STATE, key, value)
        for change in turn.changes:
            self._write(_topic(change.body), change.customer_id, orjson.dumps(change.body))

    def _write(self, topic: Topic, key: str, value: bytes, keys: str = "") -> None:
        headers = [("keys", keys.encode())] if keys else []
        self.written.append((topic, Rec(value, key.encode(), headers, topic.name(), 0, len(self.written))))


def _topic(change: dict[str, Any]) -> Topic:
    if "kind" in change:
        return topics.SEGMENT_CHANGES
    return topics.IDENTITY_CHANGES if "change" in change else topics.LIFECYCLE_CHANGES


def store(client: Client, written: Iterable[Written]) -> None:
    """Insert records in this order, one batch a run of the same topic; nothing of them is unreadable."""
    runs: list[tuple[Topic, list[Rec]]] = []
    for topic, record in written:
        if not runs or runs[-1][0] != topic:
            runs.append((topic, []))
        runs[-1][1].append(record)
    for topic, records in runs:
        (projection,) = (one for one in PROJECTIONS if one.topic == topic)
        made = make(projection, records)
        assert not made.unreadable
        insert_all(client, projection, made)
