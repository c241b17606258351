"""Customers with random histories, as the fold knows them and as rows in ClickHouse."""

from collections.abc import Iterable
from typing import Any, NamedTuple, cast

import orjson
from clickhouse_driver import Client

from processors.calendar import Calendar
from processors.portrait.compiled import Context
from processors.portrait.deltas import LeafIndex, deltas, leaf_index
from processors.portrait.evaluate import evaluate
from processors.portrait.model import compile_portrait, leaves
from processors.portrait.subject import Subject
from processors.rules.facts import fold
from projections.batch import make
from projections.registry import PROJECTIONS
from projections.store import insert_all
from schemas import facts
from schemas.changes import customer_id
from schemas.event import EventBody
from schemas.facts import Part
from schemas.leaves import join
from tests.portrait_oracle import Customer, World
from tests.portrait_strategies import NAMESPACES, Dice, history
from tests.projections.log import Rec, cluster

Json = dict[str, Any]
STATE, EVENTS = PROJECTIONS[0], next(p for p in PROJECTIONS if p.name == "events")


class One(NamedTuple):
    """A customer: the keys of its identifiers, the greatest first, its events, and how far its time is."""

    keys: list[str]
    events: list[Json]
    at: int

    @property
    def id(self) -> str:
        return customer_id(self.keys[0])


def crowd(seed: int, size: int, zone: str) -> list[One]:
    """Customers of several identifiers; it is this zone's days whose bounds they like."""
    dice, found = Dice(seed), []
    for number in range(size):
        events = history(dice, f"u{seed}-{number}", zone=zone)
        keys = sorted({key for event in events for key in keys_of(event)}, key=_rank)
        found.append(One(keys, events, max(event["occurred_at"] for event in events)))
    return found


def keys_of(event: Json) -> list[str]:
    """The primary first."""
    keys = [f"{name}:{value}" for name, values in event["identifiers"].items() for value in values]
    return sorted(keys, key=_rank)


def _rank(key: str) -> int:
    return NAMESPACES.index(key.partition(":")[0])


def store(client: Client, who: Iterable[One], calendar: Calendar) -> None:
    """Insert their events and profiles; nothing is unreadable."""
    states, log = [], []
    for one in who:
        state = orjson.loads(cluster(parts_of(one, leaf_index([], calendar))).value or b"")
        (published,) = state["published"].values()
        state["published"] = {one.id: published | {"members": one.keys}}
        states.append(Rec(orjson.dumps(state | {"at": one.at}), one.keys[0].encode()))
        for event in one.events:
            keys = keys_of(event)
            log.append(Rec(orjson.dumps(event), keys[0].encode(), [("keys", " ".join(keys).encode())]))
    for projection, records in ((STATE, states), (EVENTS, log)):
        made = make(projection, [r._replace(offset=n) for n, r in enumerate(records)])
        assert not made.unreadable, made.unreadable[0].detail
        insert_all(client, projection, made)


def parts_of(one: One, index: LeafIndex) -> dict[str, Part]:
    """The facts and leaves of a customer by primary identifier."""
    parts: dict[str, Part] = {}
    for event in one.events:
        keys, body = keys_of(event), cast("EventBody", event)
        part = parts.setdefault(keys[0], facts.new_part(event["occurred_at"]))
        fold(part, keys, body, event["message_id"], index.calendar)
        join(part.setdefault("leaves", {}), deltas(body, index))
    return parts


Answers = dict[str, tuple[str, dict[str, str], list[int]]]
"""By customer_id: stage, labels, scores (0 where there are none)."""


def by_fold(who: Iterable[One], world: World, now: int) -> Answers:
    """What the fold's evaluator says."""
    calendar = Calendar(world.timezone)
    known = leaves(world.definitions)
    context = Context(calendar, dict.fromkeys(known, 1))
    portrait = compile_portrait(world.definitions, context, world.currency, world.rates, world.thresholds)
    index = leaf_index([(leaf, context.key_of(leaf)) for leaf in known.values()], calendar)
    answers: Answers = {}
    for one in who:
        part, at = facts.union(parts_of(one, index).values()), max(now, one.at)
        subject = Subject(part, at, calendar.day_of(at), calendar, world.currency, world.rates)
        assert not evaluate(portrait, subject).failed
        answers[one.id] = (
            subject.stage or "",
            dict(sorted(subject.labels.items())),
            [*(subject.scores or (0, 0, 0))],
        )
    return answers


def customers(who: Iterable[One], world: World, now: int) -> dict[str, Customer]:
    """They as the oracle sees them, by customer_id."""
    return {one.id: Customer(one.events, max(now, one.at), world) for one in who}
