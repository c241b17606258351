"""The books: orders, contracts and stored-value movements by `source/id`, each counted once for ever.

An object is the join of what was stated of it, in any order: a refund or a cancellation may come before its
order, partial refunds add up by their ids, the latest statement by (occurred_at, message_id) gives an amount.
The totals beside the objects are kept up to date by what one object contributed before and after a statement.
"""

import copy
from decimal import Decimal
from typing import Any

from typing_extensions import TypedDict

from schemas import money
from schemas.semantics import SO_FAR, Entry

MAX_OBJECTS = 2_000
"""Orders, contracts and movements kept, each; an event that states one more is rejected with `state_full`."""
MAX_MESSAGES = 6_000
"""Statements remembered, so that each counts once for ever."""
MAX_SUB_OBJECTS = 100
"""Refunds of one order, renewals of one contract."""

Stated = list[Any]
"""[occurred_at, message_id, value...] of the latest statement."""


class Order(TypedDict):
    """One order. `paid`: [occurred_at, message_id, amount, currency]; a refund of None is of all of it."""

    first: int | None
    paid: Stated | None
    cancelled: bool
    refunds: dict[str, list[str | None]]


class Contract(TypedDict):
    """One contract. `ends`: [occurred_at, message_id, last day]; renewals: message_id -> last day."""

    signed: int | None
    renewals: dict[str, str]
    ends: Stated | None


class Totals(TypedDict):
    """What the objects add up to; amounts are decimal strings by currency code."""

    purchases: int
    revenue: dict[str, str]
    refunded: dict[str, str]
    contracts: int
    renewals: int
    stored_value: dict[str, str]


class Books(TypedDict):
    """The objects of one part and their totals."""

    orders: dict[str, Order]
    contracts: dict[str, Contract]
    movements: dict[str, Stated]  # [occurred_at, message_id, signed amount, currency]
    messages: dict[str, int]  # digest of (source, message_id) of every statement posted -> 1
    contract_end: str | None  # the latest last day of all contracts, ISO
    totals: Totals


class BooksFull(Exception):
    """The event states one object more than a part may hold."""


def new_totals() -> Totals:
    """Totals of nothing."""
    return {"purchases": 0, "revenue": {}, "refunded": {}, "contracts": 0, "renewals": 0, "stored_value": {}}


def new_books() -> Books:
    """Books of nobody."""
    return {
        "orders": {}, "contracts": {}, "movements": {}, "messages": {}, "contract_end": None, "totals": new_totals(),
    }  # fmt: skip


def post(books: Books, source: str, entry: Entry, at: int, message_id: str, digest: str) -> None:
    """Note one statement, in place, and its digest; BooksFull (and nothing noted) where it is one object too many.

    A statement whose digest is in `messages` was posted: the caller leaves it out.
    """
    _room(books["messages"], digest, MAX_MESSAGES)
    key, stated = f"{source}/{entry.id}", [at, message_id, entry.amount, entry.currency or ""]
    if entry.kind in ("order", "cancel", "refund"):
        _post_order(books, key, entry, stated)
    elif entry.kind in ("contract", "renewal"):
        _post_contract(books, key, entry, at, message_id)
    else:
        signed = entry.amount if entry.kind == "load" else money.subtract("0", entry.amount or "0")
        _post_movement(books, key, [at, message_id, signed, entry.currency or ""])
    books["messages"][digest] = 1


def _room(objects: dict[str, Any], key: str, bound: int = MAX_OBJECTS) -> None:
    if len(objects) >= bound and key not in objects:
        raise BooksFull(f"more than {bound}")


def _post_order(books: Books, key: str, entry: Entry, stated: Stated) -> None:
    _room(books["orders"], key)
    old = books["orders"].get(key)
    order: Order = (
        copy.deepcopy(old) if old else {"first": None, "paid": None, "cancelled": False, "refunds": {}}
    )
    if entry.kind == "order":
        order["first"] = stated[0] if order["first"] is None else min(order["first"], stated[0])
        order["paid"] = stated if order["paid"] is None else max(order["paid"], stated)
    elif entry.kind == "cancel":
        order["cancelled"] = True
    else:
        _room(order["refunds"], entry.sub_id, MAX_SUB_OBJECTS)
        order["refunds"][entry.sub_id] = max_refund(
            order["refunds"].get(entry.sub_id), [entry.amount, entry.currency]
        )
    count_order(books["totals"], old, -1)
    count_order(books["totals"], order, +1)
    books["orders"][key] = order


def max_refund(a: list[str | None] | None, b: list[str | None]) -> list[str | None]:
    """Of one refund stated twice, the one that counts: the greater amount; the whole is the greatest."""

    def size(refund: list[str | None]) -> tuple[bool, Decimal, str]:
        return refund[0] is None, Decimal(refund[0] or 0), refund[1] or ""

    return b if a is None else max(a, b, key=size)


def refunded(order: Order) -> Decimal:
    """What went back of a paid order: at most its amount, and nothing in another currency.

    Some senders state parts, some all that went back so far, some both: the greater is true, for neither is too much.
    """
    if order["paid"] is None:
        return Decimal(0)
    amount, currency = Decimal(order["paid"][2]), order["paid"][3]
    if any(refund[0] is None for refund in order["refunds"].values()):
        return amount
    back, so_far = Decimal(0), Decimal(0)
    for id_, refund in order["refunds"].items():
        if refund[1] in (None, currency):
            if id_ == SO_FAR:
                so_far = Decimal(refund[0] or 0)
            else:
                back = money.EXACT.add(back, Decimal(refund[0] or 0))
    return min(max(back, so_far), amount)


def is_purchase(order: Order) -> bool:
    """Completed, not cancelled, not fully refunded."""
    if order["paid"] is None or order["cancelled"]:
        return False
    return not order["refunds"] or refunded(order) < Decimal(order["paid"][2])


def count_order(totals: Totals, order: Order | None, sign: int) -> None:
    """Add (or take back) what an order contributes."""
    if order is None or order["paid"] is None or order["cancelled"]:
        return
    currency, back = order["paid"][3], refunded(order)
    totals["purchases"] += sign * is_purchase(order)
    _add(totals["revenue"], currency, sign, money.EXACT.subtract(Decimal(order["paid"][2]), back))
    _add(totals["refunded"], currency, sign, back)


def _add(amounts: dict[str, str], currency: str, sign: int, amount: Decimal) -> None:
    if amount:
        change = money.EXACT.add if sign > 0 else money.EXACT.subtract  # operators would round to 28 digits
        amounts[currency] = money.text(change(Decimal(amounts.get(currency, "0")), amount))
        if amounts[currency] == "0":
            del amounts[currency]


def _post_contract(books: Books, key: str, entry: Entry, at: int, message_id: str) -> None:
    _room(books["contracts"], key)
    old = books["contracts"].get(key)
    contract: Contract = copy.deepcopy(old) if old else {"signed": None, "renewals": {}, "ends": None}
    ends = [at, message_id, entry.ends_on]
    if entry.kind == "contract":
        contract["signed"] = at if contract["signed"] is None else min(contract["signed"], at)
    else:
        _room(contract["renewals"], entry.sub_id, MAX_SUB_OBJECTS)
        ends_on = entry.ends_on or ""
        contract["renewals"][entry.sub_id] = max(ends_on, contract["renewals"].get(entry.sub_id, ends_on))
    contract["ends"] = ends if contract["ends"] is None else max(contract["ends"], ends)
    count_contract(books["totals"], old, -1)
    count_contract(books["totals"], contract, +1)
    books["contracts"][key] = contract
    books["contract_end"] = max(
        (c["ends"][2] for c in books["contracts"].values() if c["ends"]), default=None
    )


def count_contract(totals: Totals, contract: Contract | None, sign: int) -> None:
    """Add (or take back) what a contract contributes."""
    if contract is not None:
        totals["contracts"] += sign * (contract["signed"] is not None)
        totals["renewals"] += sign * len(contract["renewals"])


def _post_movement(books: Books, key: str, stated: Stated) -> None:
    _room(books["movements"], key)
    old = books["movements"].get(key)
    new = stated if old is None else max(old, stated)
    balance = books["totals"]["stored_value"]
    if old:
        _add(balance, old[3], -1, Decimal(old[2]))
    _add(balance, new[3], +1, Decimal(new[2]))
    books["movements"][key] = new


def join_books(first: Books, *others: Books) -> Books:
    """The books that would have seen the statements of all. The bounds are a part's, not their union's.

    What is in them is shared, not copied: posting replaces an object, and never changes it.
    """
    orders, contracts = dict(first["orders"]), dict(first["contracts"])
    messages, movements = dict(first["messages"]), dict(first["movements"])
    for books in others:
        for key, order in books["orders"].items():
            mine = orders.get(key)
            orders[key] = _join_orders(mine, order) if mine else order
        for key, contract in books["contracts"].items():
            held = contracts.get(key)
            contracts[key] = _join_contracts(held, contract) if held else contract
        messages |= books["messages"]
        for key, movement in books["movements"].items():
            movements[key] = max(movement, movements.get(key, movement))
    return count_all(
        {**first, "orders": orders, "contracts": contracts, "messages": messages, "movements": movements}
    )


def count_all(books: Books) -> Books:
    """Books whose totals are counted afresh from their objects."""
    totals = new_totals()
    for order in books["orders"].values():
        count_order(totals, order, +1)
    for contract in books["contracts"].values():
        count_contract(totals, contract, +1)
    for movement in books["movements"].values():
        _add(totals["stored_value"], movement[3], +1, Decimal(movement[2]))
    ends = [c["ends"][2] for c in books["contracts"].values() if c["ends"]]
    return {**books, "totals": totals, "contract_end": max(ends, default=None)}


def _join_orders(a: Order, b: Order) -> Order:
    refunds = dict(a["refunds"])
    for refund_id, refund in b["refunds"].items():
        refunds[refund_id] = max_refund(refunds.get(refund_id), refund)
    firsts = [first for first in (a["first"], b["first"]) if first is not None]
    paid = [stated for stated in (a["paid"], b["paid"]) if stated is not None]
    return {
        "first": min(firsts, default=None),
        "paid": max(paid, default=None),
        "cancelled": a["cancelled"] or b["cancelled"],
        "refunds": refunds,
    }


def _join_contracts(a: Contract, b: Contract) -> Contract:
    signed = [at for at in (a["signed"], b["signed"]) if at is not None]
    ends = [stated for stated in (a["ends"], b["ends"]) if stated is not None]
    renewals = dict(a["renewals"])
    for renewal, ends_on in b["renewals"].items():
        renewals[renewal] = max(ends_on, renewals.get(renewal, ends_on))
    return {
        "signed": min(signed, default=None),
        "renewals": renewals,
        "ends": max(ends, default=None),
    }
