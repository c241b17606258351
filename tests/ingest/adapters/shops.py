"""A shop's webhooks through its adapter, `accept` and the fold, in any order, as the platform would take them."""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import orjson

from ingest.accept import accept
from ingest.adapters.adapter import Hook, Message, Named
from ingest.canonical import Arrival
from schemas.event import Event
from schemas.facts import union
from tests.ingest.desks import ANY, NOW
from tests.processors.events import Said
from tests.processors.identities import found
from tests.processors.machine import library
from tests.processors.world import World

PAYLOADS = Path(__file__).parent / "payloads"
PARTITIONS = 4
AT = replace(ANY, most=256 * 1024)
"""An adapter's events may be this large."""
Fields = dict[str, Any]


def payload(sender: str, name: str, **changed: Any) -> Fields:
    """An example payload; fields of it changed."""
    sent: Fields = orjson.loads((PAYLOADS / sender / f"{name}.json").read_bytes())
    return {**sent, **changed}


def hook(body: bytes, headers: Named, now: int = NOW) -> Hook:
    """A post with these headers, which arrive in lower case."""
    return Hook(
        "POST",
        {},
        {name.lower().encode(): value.encode("latin-1") for name, value in headers.items()},
        body,
        now,
    )


def events(messages: list[Message]) -> list[Event]:
    """What `accept` makes of messages, all of them, held to the contract."""
    accepted = accept(messages, AT, Arrival(NOW, "request"))
    assert not accepted.refused, [one.rejection.detail for one in accepted.refused]
    return [Event.model_validate_json(value) for _, value in accepted.events]


def said(messages: list[Message]) -> list[Said]:
    """The records of messages."""
    accepted = accept(messages, AT, Arrival(NOW, "request"))
    assert not accepted.refused, [one.rejection.detail for one in accepted.refused]
    return [
        Said(who.key.decode(), value, dict(who.headers)["keys"].decode()) for who, value in accepted.events
    ]


def orders(hooks: Iterable[Any], dice: random.Random) -> Iterator[list[Any]]:
    """Every order of a few hooks, or many random ones of more; some hooks come twice."""
    hooks = list(hooks)
    if len(hooks) <= 4:
        yield from (list(order) for order in permutations(hooks))
    else:
        yield from (dice.sample(hooks, len(hooks)) for _ in range(60))
    for _ in range(10):
        twice = hooks + dice.sample(hooks, len(hooks) // 2)
        yield dice.sample(twice, len(twice))


def folded(logs: list[list[Said]], seed: int = 1) -> World:
    """The platform after these logs, one after the other, with crashes and commands in any order."""
    dice = random.Random(seed)
    world = World(library(), PARTITIONS, "identity/default/1")
    for log in logs:
        world.say(log).run(dice)
    assert not world.rejected, world.rejected
    return world


class Known:
    """The one customer of a world that `holds` an identifier's value: stage, and what the books say."""

    def __init__(self, world: World, namespace: str, value: str) -> None:
        self.customers = found(world.states())
        states = world.states().values()
        parts = {k: p for s in states if s["kind"] == "cluster" for k, p in s["parts"].items()}
        keys = {
            key
            for p in parts.values()
            for v, key in p["identifiers"].get(namespace, {}).items()
            if v == value
        }
        (mine,) = [one for one in self.customers.values() if keys & one.members]
        self.stage = mine.stage
        self.part: Any = union([parts[member] for member in sorted(mine.members) if member in parts])
        totals = self.part["books"]["totals"]
        self.purchases, self.revenue, self.refunded = (
            totals["purchases"],
            totals["revenue"],
            totals["refunded"],
        )


def in_any_order(
    hooks: list[list[Message]], check: Callable[[World], None], before: Iterable[Said] = ()
) -> None:
    """Fold the messages of these hooks in every order of arrival, at once and one after the other, and check each."""
    dice = random.Random(7)
    records = [said(messages) for messages in hooks]
    for number, order in enumerate(orders(records, dice)):
        whole = [list(before), *order] if number % 2 else [[*before, *(one for log in order for one in log)]]
        check(folded(whole, number))
