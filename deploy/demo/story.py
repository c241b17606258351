"""Customers whom the shop knows three times, until their last order tells that they are one.

Of every twentieth customer of the file with four orders or more, the first order comes from the account on the web, the
next by phone, the next with the shop's card, and so on; the last one names all three. The orders are real, how they
came is made up. Pure.
"""

from collections.abc import Iterable
from typing import Any

from deploy.demo.orders import Order

EVERY, LEAST = 20, 4
Who = dict[str, Any]
"""The fields of a message that say whose it is."""


def known_as(orders: Iterable[Order]) -> dict[int, Who]:
    """Line of the file -> who placed that order, for the orders of the story's customers."""
    by_customer: dict[str, list[Order]] = {}
    for order in sorted(orders):
        if int(order.customer) % EVERY == 0:
            by_customer.setdefault(order.customer, []).append(order)
    found: dict[int, Who] = {}
    for customer, mine in by_customer.items():
        if len(mine) >= LEAST:
            ways = [{"userId": customer}, _external(_phone(customer)), _external(_card(customer))]
            found |= {order.line: ways[place % 3] for place, order in enumerate(mine)}
            found[mine[-1].line] = {"userId": customer, **_external(_phone(customer), _card(customer))}
    return found


def customers_of(orders: Iterable[Order]) -> int:
    """How many customers the story has."""
    return sum("userId" in who and "context" in who for who in known_as(orders).values())


def _external(*ids: tuple[str, str]) -> Who:
    return {"context": {"externalIds": [{"type": type_, "id": id_} for type_, id_ in ids]}}


def _phone(customer: str) -> tuple[str, str]:
    """A number of an exchange that is kept for fiction."""
    return "phone", f"+1212555{int(customer) // EVERY:04}"


def _card(customer: str) -> tuple[str, str]:
    return "membership_card", f"CDNOW-{customer}"
