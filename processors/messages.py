"""What `handle` takes and gives, besides the state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from processors.calendar import Calendar
from processors.identifiers import Identifiers
from processors.portrait.deltas import LeafIndex
from processors.portrait.model import Portrait
from processors.portrait.nobody import Nobody
from schemas.commands import Absorb, Backfill, Claim, Deliver, Refuse, Release, Relink
from schemas.event import EventBody


@dataclass(frozen=True, slots=True)
class Definitions:
    """The definitions in force for one partition at one place of its log, compiled.

    `leaves`: of the model in force, and of one that is being backfilled. `model`: the number of the one in force, 0
    where there is none; `kept`: the keys of its leaves. `nobody`: what is said of who did nothing yet.
    """

    portrait: Portrait
    nobody: Nobody
    leaves: LeafIndex
    calendar: Calendar
    identifiers: Identifiers
    public_namespaces: frozenset[str]
    model: int = 0
    kept: frozenset[str] = frozenset()


class Arrived(NamedTuple):
    """An event at its primary identifier.

    `keys`: of all its identifiers, greatest (`key`) first. `clock_at`: the partition's last tick before it, Unix ms.
    """

    key: str
    keys: list[str]
    event: EventBody
    clock_at: int


class Told(NamedTuple):
    """A command at the identifier that it addresses. `clock_at`: the last tick of that one's partition."""

    key: str
    command: Deliver | Claim | Refuse | Release | Absorb | Relink | Backfill
    clock_at: int


class Due(NamedTuple):
    """The clock has reached `at`: what fell due by then comes true."""

    key: str
    at: int


class Redefined(NamedTuple):
    """Another definition is in force from here on; `at` is the partition's clock."""

    key: str
    definition: str
    at: int


class Command(NamedTuple):
    """An imperative to another identifier, for `cdp.commands.v1`."""

    to: str
    body: Mapping[str, Any]


class Change(NamedTuple):
    """A change to publish: `body` as the topic's model has it, `at` its effective time."""

    customer_id: str
    id: str
    type: str
    at: int
    body: dict[str, Any]


class Failed(NamedTuple):
    """A definition failed on a customer's data, and counts as false there."""

    definition: str


class Backfilled(NamedTuple):
    """A backfill command of this model is dealt with."""

    model: str


Message = Arrived | Told | Due | Redefined
Output = Command | Change | Failed | Backfilled
