"""Synthetic events, drawn by a seed: what a shop with a site, an app, a till and e-mails would send. Pure.

Customers follow a Zipf law of exponent 1. Of ten, three are known by a `user_id` with their browser's `anonymous_id`
beside it, three by the former alone, four by the latter alone. The records are what ingest writes: key, header `keys`,
value of about 330 bytes.
"""

import itertools
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from schemas.definitions import load
from schemas.identity import IdentityRules, Keys
from schemas.topics import DAY_MS, partition_of

DAYS = 5
"""Over which the events of one log are spread."""
# name, weight, type, source, channel
KINDS = (
    ("Page Viewed", 42.0, "page", "web", "web"),
    ("Product Viewed", 22.0, "track", "web", "web"),
    ("Product Added", 8.0, "track", "web", "web"),
    ("Screen Viewed", 8.0, "screen", "app", "mobile"),
    ("Message Sent", 6.0, "track", "crm", "email"),
    ("Message Opened", 3.0, "track", "crm", "email"),
    ("Identified", 4.0, "identify", "web", "web"),
    ("Video Played", 2.0, "track", "social", "social"),
    ("Order Completed", 2.0, "track", "shop", "ecommerce"),
    ("Visit", 1.4, "track", "pos", "offline"),
    ("Signed Up", 0.8, "track", "web", "web"),
    ("Account Followed", 0.6, "track", "social", "social"),
    ("Order Refunded", 0.2, "track", "shop", "ecommerce"),
)  # fmt: skip
CITIES = ("Berlin", "Shanghai", "Lyon", "Porto", "Chengdu", "Boston", "Osaka", "Graz")


class Person(NamedTuple):
    """A customer: what an event of theirs carries."""

    key: bytes
    keys: bytes
    partition: int
    identifiers: dict[str, list[str]]


class Record(NamedTuple):
    """One record of cdp.events.v1."""

    partition: int
    key: bytes
    keys: bytes
    at: int
    value: bytes


def people(
    count: int, seed: int, partitions: int, secret: str, shares: tuple[int, int, int] = (3, 4, 3)
) -> list[Person]:
    """So many customers, the most active first; `shares`: known by user_id, by anonymous_id, by both."""
    rules = load("default", "identity")
    assert isinstance(rules, IdentityRules)
    keys, draw = Keys(rules, secret), random.Random(seed)
    found = []
    for number in range(count):
        user, anonymous = {"user_id": [f"u{number}"]}, {"anonymous_id": [_uuid(draw)]}
        identifiers = draw.choices((user, anonymous, user | anonymous), weights=shares)[0]
        mine = [keys.key(namespace, values[0])[0] for namespace, values in identifiers.items()]
        partition = partition_of(mine[0], partitions)
        found.append(Person(mine[0].encode(), " ".join(mine).encode(), partition, identifiers))
    return found


def events(
    customers: list[Person], count: int, seed: int, until: int, *, each: bool = False
) -> Iterator[Record]:
    """`count` events in order of arrival, the last at `until` (Unix ms).

    `each`: every customer has one before the Zipf law draws the rest.
    """
    draw = random.Random(seed)
    whom = draw.sample(customers, min(count, len(customers))) if each else []
    weights = list(itertools.accumulate(1 / rank for rank in range(1, len(customers) + 1)))
    whom += draw.choices(customers, cum_weights=weights, k=count - len(whom))
    kinds = draw.choices(KINDS, weights=[kind[1] for kind in KINDS], k=count)
    start, span = until - DAYS * DAY_MS, DAYS * DAY_MS
    for number, (person, (name, _, type_, source, channel)) in enumerate(zip(whom, kinds, strict=True)):
        at = start + span * (number + 1) // count
        occurred = at - int(draw.expovariate(1 / 2_000))
        properties, traits, context = _content(draw, name, number)
        value = {
            "v": 1, "type": type_, "name": name, "message_id": _uuid(draw), "source": source, "channel": channel,
            "occurred_at": occurred, "received_at": at, "sent_at": at - 40, "identifiers": person.identifiers,
            "properties": properties, "traits": traits, "context": context,
        }  # fmt: skip
        yield Record(person.partition, person.key, person.keys, at, orjson.dumps(value))


def _content(  # noqa: PLR0911 -- one a kind of event
    draw: random.Random, name: str, number: int
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Properties, traits and context of an event."""
    some = int(draw.random() * 1_000)
    if name in ("Page Viewed", "Screen Viewed"):
        return {"path": f"/p/{some}"}, {}, {"locale": "en-GB"}
    if name.startswith("Product "):
        return {"product_id": f"p{some}", "name": f"Album {some}", "price": 12.99}, {}, {}
    if name == "Order Completed":
        return {"order_id": f"o{number}", "total": f"{some // 10}.{some % 10}5", "currency": "USD"}, {}, {}
    if name == "Order Refunded":
        return {"order_id": f"o{number - some}", "total": "1", "currency": "USD"}, {}, {}
    if name == "Identified":
        return (
            {},
            {"city": CITIES[some % 8], "plan": "gold" if some % 7 == 0 else "basic", "visits": some},
            {},
        )
    if name.startswith("Message "):
        return {"campaign_id": f"c{some % 40}"}, {}, {}
    return {"place": CITIES[some % 8]}, {}, {}


def _uuid(draw: random.Random) -> str:
    raw = f"{draw.getrandbits(128):032x}"
    return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"
