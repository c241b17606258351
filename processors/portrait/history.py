"""What a customer did, event by event, and the facts that any of these events make."""

from collections.abc import Iterable
from typing import NamedTuple

from processors.calendar import Calendar
from processors.portrait.deltas import LeafIndex, deltas
from processors.rules.facts import fold
from processors.rules.seen import digest_of, is_booked
from schemas import leaves
from schemas.books import BooksFull
from schemas.event import BY_OPERATORS, EventBody
from schemas.facts import Part, new_part, union


class Happened(NamedTuple):
    """An event of a customer. `keys`: of all its identifiers, the primary first."""

    keys: list[str]
    event: EventBody

    @property
    def name(self) -> str:
        """Source/message_id, as a cause is named."""
        return f"{self.event['source']}/{self.event['message_id']}"

    @property
    def by_operator(self) -> bool:
        """Whether an operator stated it: nobody did that, it tells only whose identifiers are whose."""
        return self.event["type"] in BY_OPERATORS


History = tuple[Happened, ...]
"""A customer's events, the oldest first, each once."""


def history_of(events: Iterable[Happened]) -> History:
    """These events in order of time, each once."""
    once = {(h.keys[0], h.name): h for h in events}
    return tuple(sorted(once.values(), key=lambda h: (h.event["occurred_at"], h.event["message_id"])))


class Facts:
    """The facts of the events added so far, as the fold has them: a part for each primary identifier."""

    events: list[Happened]

    def __init__(self, calendar: Calendar, index: LeafIndex) -> None:
        self._calendar, self._index = calendar, index
        self._parts: dict[str, Part] = {}
        self.events = []

    def add(self, happened: Happened) -> None:
        """Fold one event; what the fold refuses (books that are full, amounts that are none) adds nothing."""
        self.events.append(happened)
        if happened.by_operator:
            return
        keys, event = happened
        part, digest = self._parts.get(keys[0]), digest_of(event)
        if part is not None and is_booked(event) and digest in part["books"]["messages"]:
            return
        mine = new_part(event["occurred_at"]) if part is None else part
        try:
            fold(mine, keys, event, digest, self._calendar)
        except (BooksFull, ValueError):
            return
        self._parts[keys[0]] = mine
        states = deltas(event, self._index)
        if states:
            leaves.join(mine.setdefault("leaves", {}), states)

    def whole(self) -> Part:
        """The union of the parts; of nothing where there is none."""
        return union(self._parts.values()) if self._parts else new_part(0)
