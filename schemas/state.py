"""The processors' own state, `cdp.state.v1`.

A record's key is an identifier, its value a Cluster or a Link; and there is a partition's Position. The
values are JSON; these types describe the parsed JSON itself, which is what the hot path holds. `FORMAT` names
the format: newer code brings an older state forward (`upcast`), older code stops at a newer one.
"""

from typing import Any, Literal, NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from schemas.facts import Part
from schemas.labels import Stage

FORMAT = 3
MAX_STATE_BYTES = 512 * 1024
MAX_MEMBERS = 500
"""Identifiers of a cluster; claims that would make a larger one are refused, each with a conflict."""
MAX_COUNTLESS = 200
"""Links to identifiers of which a customer may have any number, as orders; further ones join nobody."""
MAX_LINKS = 1_000
"""Links to other identifiers that a cluster remembers: the first in alphabetical order."""
MAX_SEEN = 4_096
SEEN_MS = 24 * 3_600_000
POSITION_KEY = "position"


class Published(TypedDict):
    """One customer as last published: what the view was, and what downstream knows of it."""

    head: str  # the identifier that gave the customer its id
    members: list[
        str
    ]  # greatest first; none where it is a customer no more: its head tells who has its history
    stage: Stage | None  # None only until the first change is published
    stage_since: int  # effective_at of the last change
    lifecycle: str  # definition key under which the stage was found
    sequence: int  # changes of its stage published so far
    moves: int  # how often it was merged into another, or parted from one
    into: NotRequired[str]  # where it is no more: the customer into which it was said to be merged
    labels: NotRequired[
        dict[str, list[Any]]
    ]  # "segment/vip" -> [value or "", since, version of its definition]
    label_sequence: NotRequired[int]  # changes of its labels published so far
    scores: NotRequired[list[int]]  # relationship, frequency, monetary: 1 to 5
    left_out: NotRequired[int]  # currencies of its revenue that have no rate
    due: NotRequired[
        dict[str, int]
    ]  # id of a definition -> when its answer may change with nothing happening


class Seen(TypedDict):
    """The window of seen events of an identifier: hash -> received_at in seconds, oldest first."""

    seen: dict[str, int]
    seen_overflow: int  # events that left the window because it was full, before their 24 hours were over


class Cluster(Seen):
    """The root of a connected set of identifiers: everything known of its customers."""

    v: int
    kind: Literal["cluster"]
    members: list[str]
    parts: dict[str, Part]  # by primary identifier
    links: dict[
        str, list[Any]
    ]  # "greater lesser" -> the least [occurred_at, message_id, source] that stated it
    said: dict[
        str, list[Any]
    ]  # "greater lesser" -> the latest [occurred_at, message_id, source, alias | split]
    refused: dict[
        str, list[Any]
    ]  # "greater lesser" -> [why they are two all the same, or "", conflicts published]
    published: dict[str, Published]  # by customer_id
    at: int  # the customers' logical time: the largest seen
    due_at: int | None  # no view changes before, with nothing happening
    aged: bool  # some `since` holds, so anything of the customer's own doing may change a view
    rev: int
    granted: NotRequired[dict[str, list[int]]]  # claim not answered yet -> [members, bytes] reserved
    waiting: NotRequired[dict[str, dict[str, Any]]]  # claims put off until room is given back


class Link(Seen):
    """An identifier that was absorbed: its events go on to `owner`."""

    v: int
    kind: Literal["link"]
    owner: str
    rev: int


class Position(TypedDict):
    """How far a partition is folded, written in the same transaction as the state that follows from it."""

    v: int
    kind: Literal["position"]
    events: int  # next offset of cdp.events.v1
    commands: int  # next offset of cdp.commands.v1
    clock_at: int  # the last tick, Unix ms; 0 before the first
    running: bool
    in_force: dict[str, str]  # kind -> definition key
    folded: int  # events folded so far
    rejected: int  # records rejected so far
    backfilled: NotRequired[list[Any]]  # [model, its backfill commands that are dealt with here]


State = Cluster | Link
CLUSTER = TypeAdapter(Cluster)
LINK = TypeAdapter(Link)
POSITION = TypeAdapter(Position)


class NewerFormat(Exception):
    """The state was written by newer code than this."""


def upcast(value: dict[str, Any]) -> dict[str, Any]:
    """A state record of any known format, in today's."""
    if value["v"] > FORMAT:
        raise NewerFormat(f"state of format {value['v']}; this code knows {FORMAT}")
    if value["v"] == 1:
        _from_1(value)
    value["v"] = FORMAT  # format 2 had nothing granted and nobody waiting
    return value


def _from_1(value: dict[str, Any]) -> None:
    """Format 1 had no `refused`, no heads, no sources of statements, and clear values without their keys.

    Its clear values stay with the customer who stated them. Its links are forgotten: nothing was claimed through them,
    and what states one again must be news.
    """
    if value["kind"] == "cluster":
        value["refused"], value["links"] = {}, {}
        for stated in value["said"].values():
            stated.insert(2, "")
        for published in value["published"].values():
            published |= {"head": published["members"][0], "moves": 0}
        for primary, part in value["parts"].items():
            part["identifiers"] = {
                n: dict.fromkeys(values, primary) for n, values in part["identifiers"].items()
            }


def new_position() -> Position:
    """A partition of which nothing was read. Its clock runs until the log says otherwise."""
    return {
        "v": FORMAT, "kind": "position", "events": 0, "commands": 0, "clock_at": 0, "running": True,
        "in_force": {}, "folded": 0, "rejected": 0,
    }  # fmt: skip
