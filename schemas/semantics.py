"""The registry of semantic events: names whose meaning the platform knows.

It follows Segment's e-commerce specification, extended by what gyms, shops and messages do. Any other name is
a generic event: counted, kept, queryable. `entry` maps an event to what its properties mean for the books
(orders, contracts, stored value). `own` says whether the event is the customer's own doing: a message sent to
somebody, or a refund made by the shop, is not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from schemas import money

Kind = Literal["order", "cancel", "refund", "contract", "renewal", "load", "spend"]


class Entry(NamedTuple):
    """What one event states about one business object, `(source, book, id)`, that counts once for ever."""

    kind: Kind
    id: str
    amount: str | None = None
    currency: str | None = None
    sub_id: str = ""
    ends_on: str | None = None


@dataclass(frozen=True, slots=True)
class Semantic:
    """One registered name.

    `reads` names the properties that mean something (`PROPERTIES`); `entry` reads them, ValueError says what
    is wrong with them; `money` names those that hold amounts.
    """

    name: str
    about: str
    reads: tuple[str, ...] = ()
    own: bool = True
    entry: Callable[[Mapping[str, Any], str], Entry] | None = None
    money: tuple[str, ...] = ()


def _id(properties: Mapping[str, Any], name: str, message_id: str) -> str:
    value = properties.get(name)
    if value is None or value == "":
        return message_id
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"{name} must be a string or an integer")
    if len(str(value)) > 100:
        raise ValueError(f"{name} is longer than 100 characters")
    return str(value)


def _amount(properties: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    for name in names:
        if properties.get(name) is not None:
            try:
                return money.exact(properties[name])
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
    return None


def _currency(properties: Mapping[str, Any]) -> str | None:
    value = properties.get("currency")
    if value is None or value == "":
        return None
    if not (isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha()):
        raise ValueError(f"currency: not an ISO 4217 code: {str(value)[:10]!r}")
    return value.upper()


def _positive(amount: str | None, name: str) -> str | None:
    if amount is not None and Decimal(amount) < 0:
        raise ValueError(f"{name} must not be negative")
    return amount


def _day(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a date, as 2026-12-31")
    try:
        return (
            datetime.fromisoformat(value).date() if len(value) > 10 else date.fromisoformat(value)
        ).isoformat()
    except ValueError:
        raise ValueError(f"{name}: not a date: {value[:40]!r}") from None


_REVENUE = ("total", "revenue", "value")


def _order(p: Mapping[str, Any], mid: str) -> Entry:
    amount = _positive(_amount(p, _REVENUE), "total") or "0"
    return Entry("order", _id(p, "order_id", mid), amount, _currency(p))


def _cancel(p: Mapping[str, Any], mid: str) -> Entry:
    return Entry("cancel", _id(p, "order_id", mid))


SO_FAR = ""
"""The id of all refunds of an order so far, where their sum is stated and not their parts; no part has it."""


def _refund(p: Mapping[str, Any], mid: str) -> Entry:
    so_far = _positive(_amount(p, ("refunded_total",)), "refunded_total")
    if so_far is not None:
        return Entry("refund", _id(p, "order_id", mid), so_far, _currency(p), SO_FAR)
    amount = _positive(_amount(p, _REVENUE), "total")
    return Entry("refund", _id(p, "order_id", mid), amount, _currency(p), _id(p, "refund_id", mid))


def _contract(p: Mapping[str, Any], mid: str) -> Entry:
    return Entry("contract", _id(p, "contract_id", mid), ends_on=_day(p.get("ends_at"), "ends_at"))


def _renewal(p: Mapping[str, Any], mid: str) -> Entry:
    return Entry("renewal", _id(p, "contract_id", mid), sub_id=mid, ends_on=_day(p.get("ends_at"), "ends_at"))


def _load(p: Mapping[str, Any], mid: str) -> Entry:
    return Entry(
        "load",
        _id(p, "movement_id", mid),
        _positive(_amount(p, ("amount", "value")), "amount") or "0",
        _currency(p),
    )


def _spend(p: Mapping[str, Any], mid: str) -> Entry:
    return Entry(
        "spend",
        _id(p, "movement_id", mid),
        _positive(_amount(p, ("amount", "value")), "amount") or "0",
        _currency(p),
    )


_PRICES = (*_REVENUE, "subtotal", "tax", "shipping", "discount", "price")
_CONTRACT = ("contract_id", "ends_at")
_CARD = ("movement_id", "amount", "currency")
_AMOUNT = ("amount", "value")

SEMANTICS = (
    Semantic("Order Completed", "an order was placed or paid",
             reads=("order_id", "total", "currency"), entry=_order, money=_PRICES),
    Semantic("Order Cancelled", "an order was taken back whole; may come before its order",
             reads=("order_id",), own=False, entry=_cancel, money=_PRICES),
    Semantic("Order Refunded", "money of an order went back; without an amount, all of it",
             reads=("order_id", "refund_id", "total", "refunded_total", "currency"), own=False, entry=_refund,
             money=(*_PRICES, "refunded_total")),
    Semantic("Refund Noted", "goods came back, or a refund is under way or has failed: no money moved", own=False),
    Semantic("Order Fulfilled", "what was ordered was sent off", own=False),
    Semantic("Order Deleted", "an order was taken off the shop's records; what it stated stays", own=False),
    Semantic("Customer Deleted", "a customer was taken off the shop's records; what is known stays", own=False),
    Semantic("Signed Up", "registered an account"),
    Semantic("Account Followed", "followed one of the brand's social accounts"),
    Semantic("Account Unfollowed", "stopped following one"),
    Semantic("Contact Edited", "an employee noted something of a contact", own=False),
    Semantic("Contact Removed", "an employee removed a contact", own=False),
    Semantic("Contact Transfer Failed", "a contact did not go over to another employee", own=False),
    Semantic("Event Attended", "came to an event of the brand"),
    Semantic("Phone Left", "left a phone number to be called back"),
    Semantic("Contract Signed", "signed a contract",
             reads=_CONTRACT, entry=_contract, money=("price", "value")),
    Semantic("Contract Renewed", "renewed a contract",
             reads=_CONTRACT, entry=_renewal, money=("price", "value")),
    Semantic("Visit", "came to a shop, club or branch"),
    Semantic("Value Loaded", "money was put on a stored-value card",
             reads=_CARD, entry=_load, money=_AMOUNT),
    Semantic("Value Spent", "money on a stored-value card was used",
             reads=_CARD, entry=_spend, money=_AMOUNT),
    Semantic("Message Sent", "the brand sent a message", reads=("campaign_id",), own=False),
    Semantic("Message Delivered", "a message arrived", reads=("campaign_id",), own=False),
    Semantic("Message Opened", "a message was opened", reads=("campaign_id",)),
    Semantic("Message Clicked", "a link in a message was followed", reads=("campaign_id",)),
    Semantic("Message Bounced", "a message came back", reads=("campaign_id",), own=False),
    Semantic("Message Deferred", "a message did not arrive yet and is tried again", reads=("campaign_id",), own=False),
    Semantic("Message Dropped", "a message was not even tried: its recipient had bounced or wants none",
             reads=("campaign_id",), own=False),
    Semantic("Message Marked as Spam", "complained about a message", reads=("campaign_id",)),
    Semantic("Message Read", "a receipt says that all messages until then were read", own=False),
    Semantic("Unsubscribed", "asked for no more messages", reads=("campaign_id",)),
    Semantic("Resubscribed", "asked for messages again", reads=("campaign_id",)),
    Semantic("Account Acted", "the brand itself did something on a social account of its own", own=False),
    Semantic("Identified", "an identify call: a statement about the customer", own=False),
    Semantic("Grouped", "a group call: a statement about the customer", own=False),
    Semantic("Aliased", "an alias call: a statement about identifiers", own=False),
)  # fmt: skip
"""Every registered event, explicitly; a test reads the documents against it."""

PROPERTIES = {
    "order_id": "the order; without it, the message's id",
    "refund_id": "one refund of an order: parts add up; without it, the message's id",
    "refunded_total": "instead of one refund, all that went back of the order so far; counts where more than the parts",
    "contract_id": "the contract; without it, the message's id",
    "movement_id": "one loading or spending; without it, the message's id",
    "campaign_id": "the campaign that the message belongs to",
    "total": "the amount; else `revenue`, else `value`. A decimal string, or a number of at most 15 digits",
    "amount": "the amount, not negative; else `value`. A decimal string, or a number of at most 15 digits",
    "currency": "ISO 4217; without it, the deployment's, and for a refund its order's",
    "ends_at": "required: the last day of the contract, as 2026-12-31",
}
"""What the properties that registered events read mean."""

REGISTRY: dict[str, Semantic] = {semantic.name: semantic for semantic in SEMANTICS}
NOT_OWN = frozenset(s.name for s in SEMANTICS if not s.own)


def entry_of(name: str, properties: Mapping[str, Any], message_id: str) -> Entry | None:
    """What the event states about an order, contract or card; None where it states nothing of the kind."""
    semantic = REGISTRY.get(name)
    return semantic.entry(properties, message_id) if semantic and semantic.entry else None


def exact_money(name: str, properties: dict[str, Any], default_currency: str) -> None:
    """Turn the registered amounts of an event into decimal strings, in place (products' prices too).

    Amounts that name no currency get the default; a refund's are of its order's currency. ValueError where an
    amount or currency is none.
    """
    semantic = REGISTRY.get(name)
    if semantic is None or not semantic.money:
        return
    currency = _currency(properties) or (None if semantic.entry is _refund else default_currency)
    products = properties.get("products")
    lines = [line for line in products if isinstance(line, dict)] if isinstance(products, list) else []
    amounts = [
        (place, field)
        for place in (properties, *lines)
        for field in semantic.money
        if place.get(field) is not None
    ]
    for place, field in amounts:
        place[field] = _amount(place, (field,))
    if currency and (amounts or properties.get("currency")):
        properties["currency"] = currency
