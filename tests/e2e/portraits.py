"""What the demo's customers must be by the preset of a shop, as the naive oracle has it from the file's own lines."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from deploy.demo.orders import Order, message
from deploy.demo.story import Who
from schemas import folders
from schemas.definitions import load
from schemas.lifecycle import Lifecycle
from schemas.portrait import Thresholds
from tests.portrait_oracle import World, labels

Labels = dict[str, str]


def must_be(
    orders: Iterable[Order], known: dict[int, Who], moved: timedelta, world: World
) -> dict[str, Labels]:
    """kind/name -> value of each customer of these orders, today; by the file's customer."""
    zone = world.timezone
    now = int(datetime.now(ZoneInfo(zone)).timestamp() * 1000)
    events: dict[str, list[dict[str, Any]]] = {}
    for order in orders:
        events.setdefault(order.customer, []).append(_event(order, known.get(order.line), moved, zone))
    return {customer: labels(mine, now, world) for customer, mine in events.items()}


def world_of(zone: str, thresholds: Thresholds) -> World:
    """The preset in force."""
    lifecycle = load("ecommerce", "lifecycle")
    assert isinstance(lifecycle, Lifecycle)
    return World(zone, "USD", thresholds=thresholds, definitions=tuple(folders.load("ecommerce", lifecycle)))


def as_shown(tags: dict[str, str], segments: list[str], roles: list[str], tier: str) -> Labels:
    """A row of the `profiles` view in the oracle's words."""
    return {
        **{f"tag/{name}": value for name, value in tags.items()},
        **{f"segment/{name}": "" for name in segments},
        **{f"role/{name}": "" for name in roles},
        **({"value/customer": tier} if tier else {}),
    }


def _event(order: Order, who: Who | None, moved: timedelta, zone: str) -> dict[str, Any]:
    noon = datetime.combine(order.day + moved, time(12), ZoneInfo(zone))
    sent = message(order, noon.isoformat(), who)
    at = int(noon.timestamp() * 1000)
    identifiers = {"user_id": [sent["userId"]]} if "userId" in sent else {}
    for each in sent.get("context", {}).get("externalIds", ()):
        identifiers.setdefault(each["type"], []).append(each["id"])
    return {
        "v": 1, "type": "track", "name": sent["event"], "message_id": order.id, "source": "shop",
        "channel": "ecommerce", "occurred_at": at, "received_at": at, "identifiers": identifiers,
        "properties": sent["properties"], "traits": {}, "context": {},
    }  # fmt: skip
