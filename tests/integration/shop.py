"""A shop whose definitions change: its customers' events, and what each must be by all of them together."""

import json
import random
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from clickhouse_driver import Client

from schemas.changes import customer_id
from schemas.folders import load
from schemas.graph import Defined
from tests.portrait_oracle import Customer, World, labels, stage
from tests.processors.events import DAY, HOUR, Said, at

START = at("2026-01-01")
NOW = START + 100 * DAY
SPAN = 95
BUYERS = {
    "kind": "segment",
    "name": "buyers",
    "version": 1,
    "when": {"count": {"of": "purchases", "at_least": 1}},
}
FREQUENT = {
    "kind": "segment", "name": "frequent", "version": 1,
    "when": {"did": {"event": "Visit", "at_least": 2, "within": {"last_days": 30}}},
}  # fmt: skip
MORE: list[dict[str, Any]] = [
    FREQUENT,
    {"kind": "role", "name": "fan", "version": 1, "when": {"all": [
        {"segment": "frequent"}, {"sum": {"event": "Order Completed", "property": "total", "at_least": 20}}]}},
    {"kind": "tag", "name": "taste", "version": 1, "values": [
        {"value": "red", "when": {"interest": {"event": "View", "property": "colour", "is": ["red"], "top": 1}}},
        {"value": "wide", "when": {"distinct": {"event": "View", "property": "colour", "at_least": 2}}},
        {"value": "blue", "when": {"latest": {"event": "View", "property": "colour", "is": "blue"}}}]},
    {"kind": "segment", "name": "smooth", "version": 1, "when": {"sequence": {
        "steps": [{"event": "View"}, {"event": "Order Completed"}], "within": {"days": 20},
        "without": {"event": "Return"}}}},
    {"kind": "segment", "name": "late", "version": 1, "when": {"all": [
        {"first": {"event": ["Visit", "View"], "within": {"from": "2026-01-20", "to": "2026-12-31"}}},
        {"not": {"segment": "frequent"}}]}},
]  # fmt: skip
NAMES = ("Visit", "Visit", "View", "View", "Return", "Order Completed")


class Happened(NamedTuple):
    """An event: who did it, as which identifiers, and its body."""

    who: int
    keys: list[str]
    body: dict[str, Any]

    @property
    def said(self) -> Said:
        return Said(self.keys[0], orjson.dumps(self.body), " ".join(self.keys))


def folder(path: Path, *definitions: dict[str, Any]) -> Path:
    """A folder of these definitions."""
    path.mkdir(parents=True, exist_ok=True)
    for old in path.glob("*.json"):
        old.unlink()
    for number, one in enumerate(definitions):
        (path / f"{number}.json").write_text(json.dumps(one))
    return path


def history(seed: int, people: int, events: int) -> list[Happened]:
    """What people did, in any order; every other one was a visitor before, and is at times still."""
    dice, found = random.Random(seed), list[Happened]()
    for number in range(events):
        who, name = dice.randrange(people), dice.choice(NAMES)
        when = START + dice.randrange(SPAN) * DAY + dice.randrange(24) * HOUR + number
        found.append(_happened(dice, number, who, name, when))
    return found


def _happened(dice: random.Random, number: int, who: int, name: str, when: int) -> Happened:
    keys = [f"user_id:{who}"]
    if who % 2 == 0 and dice.random() < 0.6:
        keys = [*keys, f"anonymous_id:{who}"] if dice.random() < 0.5 else [f"anonymous_id:{who}"]
    properties: dict[str, Any] = {"colour": dice.choice(("red", "blue", "green"))}
    if name == "Order Completed":
        properties = {"order_id": str(number), "total": "12.50", "currency": "USD"}
    body = {
        "v": 1, "type": "track", "name": name, "message_id": f"m{number}", "source": "shop", "channel": "web",
        "occurred_at": when, "received_at": NOW, "identifiers": {}, "properties": properties, "traits": {},
        "context": {},
    }  # fmt: skip
    return Happened(who, keys, body)


def united(people: int) -> list[Happened]:
    """Everybody who was a visitor says who they are, last of all."""
    return [
        _happened(random.Random(who), 1_000_000 + who, who, "Login", NOW - HOUR)._replace(
            keys=[f"user_id:{who}", f"anonymous_id:{who}"]
        )
        for who in range(0, people, 2)
    ]


Labels = dict[str, str]


def expected(path: Path, lifecycle: Any, log: list[Happened], now: int = NOW) -> dict[str, Labels]:
    """What everybody must be, by customer_id: labels, and the stage as `lifecycle`."""
    definitions: list[Defined] = load(str(path), lifecycle)
    world = World(definitions=tuple(definitions))
    found = {}
    for who in {one.who for one in log}:
        mine = [one.body for one in log if one.who == who]
        is_ = {"lifecycle": stage(Customer(mine, now, world)), **labels(mine, now, world)}
        found[customer_id(f"user_id:{who}")] = is_
    return found


def shown(client: Client) -> dict[str, Labels]:
    """What everybody is, as the views have it."""
    found: dict[str, Labels] = {
        str(id_): {"lifecycle": stage}
        for id_, stage in client.execute("SELECT customer_id, stage FROM profiles")
    }
    for id_, kind, name, value in client.execute("SELECT customer_id, kind, name, value FROM portraits"):
        found[str(id_)][f"{kind}/{name}"] = value
    return found
