"""What past events state to new leaves, as commands to their identifiers. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, cast

import orjson

from processors.calendar import Calendar
from processors.portrait.deltas import LeafIndex, deltas, leaf_index
from projections.stated import Stated
from schemas.commands import VERSION
from schemas.event import EventBody
from schemas.leaves import Leaf, LeafStates, join

MOST, MOST_BYTES = 4_000, 4 * 1024 * 1024
"""Of a batch: what a transaction writes well within its time."""
RECORD_BYTES = 1024 * 1024


class Batch(NamedTuple):
    """Commands by the identifier addressed; `upto`: the greatest identifier that was looked at."""

    commands: list[tuple[str, dict[str, Any]]]
    upto: str


def index_of(leaves: Mapping[str, Leaf], number: int, timezone: str) -> LeafIndex:
    """The index of new leaves, by their digests, of the model of this number."""
    return leaf_index(((leaf, f"{digest}.{number}") for digest, leaf in leaves.items()), Calendar(timezone))


def batches(events: Iterable[Stated], index: LeafIndex, model: str) -> Iterator[Batch]:
    """Events in the order of their identifiers, as commands; an identifier whose events state nothing gets none."""
    commands, size, upto = list[tuple[str, dict[str, Any]]](), 0, ""
    for primary, mine in groupby(events, attrgetter("key")):
        upto = primary
        for leaves, bytes_ in _parts(_joined(mine, index)):
            body = {"v": VERSION, "kind": "backfill", "primary": primary, "leaves": leaves, "model": model}
            commands.append((primary, body))
            size += bytes_
        if len(commands) >= MOST or size >= MOST_BYTES:
            yield Batch(commands, upto)
            commands, size = [], 0
    if upto:
        yield Batch(commands, upto)


def _joined(events: Iterable[Stated], index: LeafIndex) -> LeafStates:
    found: LeafStates = {}
    for event in events:
        join(found, deltas(_body(event), index))
    return found


def _parts(leaves: LeafStates) -> Iterator[tuple[LeafStates, int]]:
    """All of them in records that Kafka takes, each with its size: one, but for an identifier that saw everything."""
    part: LeafStates = {}
    size = 0
    for key, state in leaves.items():
        more = len(orjson.dumps(state))
        if part and size + more > RECORD_BYTES:
            yield part, size
            part, size = {}, 0
        part[key], size = state, size + more
    if part:
        yield part, size


def _body(event: Stated) -> EventBody:
    """As much of an event as leaves remember."""
    return cast("EventBody", {**event._asdict(), "properties": orjson.loads(event.properties)})
