"""The shop's orders: from lines of the file to messages of `/v1/batch`. Pure, but for reading the file."""

import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

DATA = Path(__file__).parent / "cdnow.txt.gz"
CURRENCY = "USD"
NOON = time(12)
IDS = "cdnow-"
"""How the id of every order, which is its message's too, begins."""


class Order(NamedTuple):
    """One line of the file; orders sort in order of time."""

    day: date
    line: int  # in the file, its heading being 1
    customer: str
    discs: int
    total: str  # decimal, of CURRENCY

    @property
    def id(self) -> str:
        """The order's id: lines repeat exactly and are orders all the same, so it is the line's number."""
        return f"{IDS}{self.line:05}"


def read() -> list[Order]:
    """Every order of the file, in order of time."""
    lines = gzip.decompress(DATA.read_bytes()).decode().splitlines()
    return sorted(_order(number, line) for number, line in enumerate(lines[1:], 2))


def _order(number: int, line: str) -> Order:
    customer, day, discs, total = line.split()
    return Order(date.fromisoformat(day), number, customer, int(discs), total)


def revenue(orders: Iterable[Order]) -> Decimal:
    """What the orders add up to, exactly."""
    return sum((Decimal(order.total) for order in orders), Decimal(0))


def days_until(orders: Sequence[Order], last: date) -> int:
    """By how many days the orders move so that the last of them is on this day."""
    return (last - orders[-1].day).days


def message(order: Order, timestamp: str, who: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The `Order Completed` of an order; of the file's customer unless `who` says otherwise.

    It has no `sentAt`: an importer's clock corrects nothing, and the instant is the same whenever it is sent.
    """
    number = order.id
    return {
        "type": "track",
        "event": "Order Completed",
        "messageId": number,
        **(who or {"userId": order.customer}),
        "timestamp": timestamp,
        "properties": {
            "order_id": number,
            "total": order.total,
            "currency": CURRENCY,
            "products": [
                {"product_id": "cd", "name": "Compact disc", "category": "music", "quantity": order.discs}
            ],
        },
    }


class Day(NamedTuple):
    """One day's orders as messages, and the Unix ms at which the next day begins."""

    day: date
    messages: list[dict[str, Any]]
    ends_at: int


def days(
    orders: Iterable[Order],
    moved: timedelta,
    zone: ZoneInfo,
    who: Mapping[int, Mapping[str, Any]] | None = None,
) -> Iterator[Day]:
    """The days on which there are orders, in order, `moved`; each order is at noon of its day in this time zone.

    `who`: line of the file -> fields that say whose the order is, where that is not the file's customer alone.
    """
    known = who or {}
    for written, placed in groupby(orders, key=attrgetter("day")):
        day = written + moved
        noon = datetime.combine(day, NOON, zone).isoformat()
        next_day = datetime.combine(day + timedelta(days=1), time.min, zone)
        messages = [message(order, noon, known.get(order.line)) for order in placed]
        yield Day(day, messages, int(next_day.timestamp() * 1000))
