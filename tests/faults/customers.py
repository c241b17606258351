"""What customers do, as SDKs post it: two years of some, drawn from a seed; one message in a hundred is a bad one."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.faults.ledger import Message

START = datetime(2024, 1, 1, tzinfo=UTC)
END = datetime(2026, 1, 1, tzinfo=UTC)
ACTIVE = 60
"""Customers of a sender who do something in turn."""
NAMES = {
    "Product Viewed": 30, "page": 10, "identify": 5, "Signed Up": 4, "Account Followed": 3, "Order Completed": 18,
    "Order Refunded": 6, "Order Cancelled": 4, "Message Sent": 10, "Message Opened": 5, "Visit": 5,
}  # fmt: skip
BAD: tuple[tuple[Message, str], ...] = (
    ({"type": "track", "event": ""}, "invalid"),
    ({"type": "track", "event": "Visit", "timestamp": "yesterday"}, "invalid"),
    ({"type": "track", "event": "Visit", "userId": "null", "anonymousId": None}, "no_identifier"),
    ({"type": "track", "event": "Order Completed", "properties": {"total": "12,50"}}, "bad_amount"),
    ({"type": "track", "event": "Order Completed", "properties": {"total": 0.12345678901}}, "bad_amount"),
    ({"type": "track", "event": "Contract Signed", "properties": {"ends_at": "soon"}}, "bad_property"),
    ({"type": "track", "event": "Visit\0", "properties": {"note": "\0"}}, "invalid"),
    ({"type": "say", "event": "Visit"}, "invalid"),
)
"""What makes a message a bad one, and the reason of its rejection."""


@dataclass
class Person:
    """One customer, at a moment of their own."""

    ids: Message
    now: datetime
    orders: int = 0
    stated: list[str] = field(default_factory=list)


def lives(dice: random.Random, sender: str) -> Iterator[Message]:
    """Messages without end. A customer's come in the order of their list; some are dated before the one before."""
    people = (_person(dice, sender, number) for number in itertools.count())
    active = list(itertools.islice(people, ACTIVE))
    for number in itertools.count():
        place = dice.randrange(ACTIVE)
        person = active[place]
        person.now += timedelta(seconds=dice.randrange(_gap(dice)))
        if person.now >= END:
            active[place] = next(people)
            continue
        yield _message(dice, person, f"{sender}-{number}")


def _person(dice: random.Random, sender: str, number: int) -> Person:
    kind = "anonymousId" if dice.random() < 0.2 else "userId"
    start = START + timedelta(seconds=dice.randrange(86_400 * 200))
    return Person({kind: f"{sender}-{kind}-{number}"}, start)


def _gap(dice: random.Random) -> int:
    """The longest pause before the next message, seconds: now and then long enough to fall silent, or to be lost."""
    days = dice.choices((0.2, 5, 60, 200, 600), (40, 40, 13, 5, 2))[0]
    return int(86_400 * days)


def _message(dice: random.Random, person: Person, message_id: str) -> Message:
    late = timedelta(days=dice.randrange(20)) if dice.random() < 0.05 else timedelta(0)
    stamp = (person.now - late).isoformat(timespec="milliseconds")
    message = {**person.ids, "messageId": message_id, "timestamp": stamp}
    if dice.random() < 0.01:
        number = dice.randrange(len(BAD))
        return {**message, **BAD[number][0], "messageId": f"bad{number}-{message_id}"}
    name = dice.choices(tuple(NAMES), tuple(NAMES.values()))[0]
    if name == "identify":
        # an e-mail address of a visitor would be the greater identifier, and so another customer
        email = {"email": f"{person.ids['userId']}@shop.example"} if "userId" in person.ids else {}
        return {**message, "type": "identify", "traits": {**email, "visits": dice.randrange(9)}}
    if name == "page":
        return {**message, "type": "page", "name": "Home"}
    return {**message, "type": "track", "event": name, "properties": _properties(dice, person, name)}


def _properties(dice: random.Random, person: Person, name: str) -> Message:
    if not name.startswith("Order"):
        return {"sku": f"s{dice.randrange(100)}"}
    # of the orders so far, or of the next one: its refund or cancellation may come first, and it may be stated again
    if name == "Order Completed" and dice.random() < 0.9:
        person.orders += 1
        number = person.orders
    else:
        number = dice.randrange(1, person.orders + 2)
    order = {"order_id": "-".join((*person.ids.values(), str(number))), "currency": "USD"}
    if name == "Order Completed":
        return {**order, "total": dice.choice(("0", "5", "19.99", 120, 12.5))}
    if name == "Order Cancelled":
        return {"order_id": order["order_id"]}
    refund = {**order, "refund_id": f"r{dice.randrange(3)}"}
    return refund if dice.random() < 0.2 else {**refund, "total": dice.choice(("2.5", "5", 100))}
