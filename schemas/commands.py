"""Imperatives between identifiers, `cdp.commands.v1`: all follow from events.

A record's key is the identifier addressed; one that is a Link passes it on to its owner. They may overtake each other:
nothing depends on their order. The values are JSON; these types describe the parsed JSON itself.
"""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from schemas.event import EventBody
from schemas.facts import Part
from schemas.leaves import LeafStates
from schemas.state import Published

VERSION = 1


class Deliver(TypedDict):
    """Fold an event whose primary identifier is a Link, and which was not seen there before."""

    v: int
    kind: Literal["deliver"]
    keys: list[str]  # of all its identifiers, greatest first
    event: EventBody
    clock_at: int  # the clock of the primary identifier's partition
    leaves: NotRequired[LeafStates]  # what it states to the leaves in force where it came from
    waited: NotRequired[int]  # how often it was put off, for the books that know it were still on their way


class Claim(TypedDict):
    """An event states that `by` and the identifier addressed belong together."""

    v: int
    kind: Literal["claim"]
    by: str | None  # the root that claims; None where that is crowded: the link is only counted
    size: int  # its members
    bytes: int  # of what it would give
    to: str  # the lesser end of the link, where the claim was first sent
    link: str  # "greater lesser"
    when: list[Any]  # [occurred_at, message_id, source]
    says: Literal["link", "alias"]
    room: NotRequired[list[int]]  # [members, bytes] that `by` has reserved: give yourself to it if you fit
    answers: NotRequired[str]  # "greater lesser says" of the addressee's own claim: its room is free again


class Refuse(TypedDict):
    """A claim was refused, for the two together would be too large."""

    v: int
    kind: Literal["refuse"]
    link: str
    when: list[Any]
    answers: NotRequired[str]  # as of a claim


class Release(TypedDict):
    """The room that a claim carried is free again: nobody came, or not now."""

    v: int
    kind: Literal["release"]
    answers: str  # as of a claim


class Absorb(TypedDict):
    """Everything of a root that has become a Link, but for its window of seen events."""

    v: int
    kind: Literal["absorb"]
    giver: str
    to: str  # the owner that the giver points to
    answers: NotRequired[str]  # as of a claim: its room is taken
    members: list[str]
    parts: dict[str, Part]
    links: dict[str, list[Any]]
    said: dict[str, list[Any]]
    refused: dict[str, list[Any]]
    published: dict[str, Published]
    at: int
    rev: int
    when: list[Any]  # what stated the link that united them


class Relink(TypedDict):
    """Point to `owner` where that is greater than yours."""

    v: int
    kind: Literal["relink"]
    owner: str


class Backfill(TypedDict):
    """What the events of a primary identifier below a model's `collecting` marker state to its new leaves."""

    v: int
    kind: Literal["backfill"]
    primary: str
    leaves: LeafStates
    model: str  # the model's definition key
    waited: NotRequired[int]  # how often it was put off, for the part of its primary was still on its way


Command = Deliver | Claim | Refuse | Release | Absorb | Relink | Backfill
