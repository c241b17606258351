"""What the adapters of shops say: messages about a shop's customers and orders. Pure.

**Orders find their customer.** A refund often names its order and nobody else, so whatever speaks of an order carries
the identifier `shop_order/SHOP:ORDER` beside the customer's: through it both are one customer, whichever came first.

**A statement is known by what it states.** Senders tell of one order many times (created, paid, changed). The messageId
of an Order Completed, Cancelled or Refunded is made of the order, the amount and the customer, so that repetitions are
one event; of two statements as of the same instant the books believe the one with the greater messageId, and its amount
is written so that the greater amount is the greater text: what was once paid becomes less by refunds only.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ingest import bodies
from ingest.adapters.adapter import Hook, Message, Taken
from ingest.adapters.reading import NOTHING, Fields, given, id_of, named, short, text
from schemas.semantics import REGISTRY

MAX_ORIGINAL = 200 * 1024
"""Bytes of a body that is kept in each event: an order of hundreds of lines counts all the same."""
MAX_PRODUCTS = 512 * 1024
"""Bytes of an order's lines that are kept: one of thousands counts all the same."""
DONE_BY_THE_SHOP = frozenset(("Order Fulfilled", "Order Deleted", "Customer Deleted"))
"""Registered names that state nothing of money: senders' other kinds may have them."""


class Who(NamedTuple):
    """Whom a message is about: the ids of a customer and an order of this shop where known, and traits."""

    shop: str
    customer: str = ""
    order: str = ""
    traits: Fields = NOTHING


def taken(hook: Hook, messages: list[Message]) -> Taken:
    """The messages, without their originals, and without their lines, where these would make events too large."""
    if len(hook.body) > MAX_ORIGINAL:
        for each in messages:
            each["context"]["original"] = {"left_out": f"{len(hook.body)} bytes"}
            each["properties"] = _bounded(each["properties"])
    return Taken(messages)


def _bounded(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without lines that are too many; how many there were is said."""
    products = properties.get("products")
    if not products or len(bodies.original(products)) <= MAX_PRODUCTS:
        return properties
    left = {name: value for name, value in properties.items() if name != "products"}
    return {**left, "products_left_out": len(products)}


def generic(sender: str, name: str) -> str:
    """A name for an event of an unknown kind, which is none of those that have a meaning."""
    taken = name in REGISTRY and name not in DONE_BY_THE_SHOP
    return f"{sender} {name}".strip() if taken or not name else name[:200]


def message(
    name: str, message_id: str, at: Any, who: Who, original: Fields, properties: Mapping[str, Any] = NOTHING
) -> Message:
    """A track of this name; an `identify` where the name is empty. `at`: an instant as the sender wrote it, if any."""
    ids = [("shop_customer", who.customer), ("shop_order", who.order)]
    made: Message = {
        "type": "track" if name else "identify",
        "messageId": message_id,
        "properties": properties,
        "traits": who.traits,
        "context": {
            "externalIds": [{"id": id_, "type": f"{kind}/{who.shop}"} for kind, id_ in ids if id_],
            "original": original,
        },
    }
    if name:
        made["event"] = name
    if text(at) or type(at) is int:
        made["timestamp"] = at
    return made


def completed(who: Who, at: Any, original: Fields, properties: Fields) -> Message:
    """The one Order Completed of an order that is paid, of `total` and `currency`."""
    whole, _, rest = str(properties["total"]).partition(".")
    paid = f"{whole:0>15}.{rest}{properties.get('currency') or ''}"
    told = repr((who.customer, who.traits.get("email"), who.traits.get("phone")))
    message_id = named("order", who.order, paid, short(told))
    return message("Order Completed", message_id, at, who, original, {"order_id": who.order, **properties})


def placed(who: Who, at: Any, original: Fields, properties: Fields) -> Message:
    """An order that is not paid (yet): something that the customer did, and no purchase."""
    told = repr((who.customer, who.traits.get("email"), who.traits.get("phone")))
    message_id = named("placed", who.order, short(told))
    return message("Order Placed", message_id, at, who, original, {"order_id": who.order, **properties})


def cancelled(who: Who, at: Any, original: Fields, reason: Any = None) -> Message:
    """An order was taken back whole."""
    properties = {"order_id": who.order, **given(reason=text(reason))}
    return message("Order Cancelled", named("cancelled", who.order), at, who, original, properties)


def refunded(
    who: Who, at: Any, original: Fields, refund: str, total: str | None = None, currency: str | None = None
) -> Message:
    """Part of an order's money went back; without a total, all of it."""
    properties = {"order_id": who.order, "refund_id": refund, **given(total=total, currency=currency)}
    message_id = named("refund", who.order, refund, total or "all")
    return message("Order Refunded", message_id, at, who, original, properties)


def refunded_so_far(who: Who, at: Any, original: Fields, total: str, currency: str | None = None) -> Message:
    """All that went back of an order until now, as senders state it who do not tell its parts."""
    properties = {"order_id": who.order, "refunded_total": total, **given(currency=currency)}
    message_id = named("refunded", who.order, total)
    return message("Order Refunded", message_id, at, who, original, properties)


def noted(who: Who, at: Any, original: Fields) -> Message:
    """A refund by which no money moved: goods came back, or it is under way, or has failed."""
    id_, status = id_of(original.get("id")), text(original.get("status"))
    properties = given(order_id=who.order or None, refund_id=id_ or None, status=status)
    return message(
        "Refund Noted", named("noted", who.order, id_, status or ""), at, who, original, properties
    )
