"""What the adapters of shops share: reading what they sent, and messages about a shop's customers and orders. Pure.

**Orders find their customer.** A refund often names its order and nobody else, so whatever speaks of an order carries
the identifier `shop_order/SHOP:ORDER` beside the customer's: through it both are one customer, whichever came first.

**A statement is known by what it states.** Senders tell of one order many times (created, paid, changed). The messageId
of an Order Completed, Cancelled or Refunded is made of the order, the amount and the customer, so that repetitions are
one event; of two statements as of the same instant the books believe the one with the greater messageId, and its amount
is written so that the greater amount is the greater text: what was once paid becomes less by refunds only.
"""

import hmac
from collections.abc import Mapping
from decimal import Decimal
from hashlib import blake2b, sha256
from typing import Any, NamedTuple

import orjson

from ingest.adapters.adapter import Hook, Message
from ingest.bodies import parse
from ingest.canonical import MAX_MESSAGE_ID
from ingest.refusal import malformed
from schemas import money
from schemas.semantics import REGISTRY

Fields = dict[str, Any]
NOTHING: Fields = {}
DONE_BY_THE_SHOP = frozenset(("Order Fulfilled", "Order Deleted", "Customer Deleted"))
"""Registered names that state nothing of money: senders' other kinds may have them."""


class Who(NamedTuple):
    """Whom a message is about: the ids of a customer and an order of this shop where known, and traits."""

    shop: str
    customer: str = ""
    order: str = ""
    traits: Fields = NOTHING


def header(hook: Hook, name: bytes) -> str:
    """A header as text; empty where there is none."""
    return hook.headers.get(name, b"").decode("latin-1")


def digest(secret: str, *signed: bytes) -> bytes:
    """HMAC-SHA256 of the concatenation."""
    mac = hmac.new(secret.encode(), digestmod=sha256)
    for part in signed:
        mac.update(part)
    return mac.digest()


def parsed(body: bytes) -> Fields:
    """The object in a body; Refusal where there is none. Amounts are texts or whole numbers: orjson loses none."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = parse(body)
    if not isinstance(found, dict):
        raise malformed("not an object")
    return found


def fields(value: Any) -> Fields:
    """The value where it is an object, else nothing."""
    return value if isinstance(value, dict) else NOTHING


def objects(value: Any) -> list[Fields]:
    """The objects of a list, else none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def id_of(value: Any) -> str:
    """An id as text; empty where it is none, and for the 0 by which shops mean nobody."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value) if value not in (0, "0") else ""


def text(value: Any) -> str | None:
    """The value where it is a text with something in it."""
    return value if isinstance(value, str) and value else None


def amount(value: Any) -> str:
    """An amount as the sender wrote it; an empty text where there is none, which `accept` refuses as an amount."""
    if isinstance(value, str):
        return value
    return "" if isinstance(value, bool) or not isinstance(value, int | float | Decimal) else str(value)


def exactly(value: Any) -> Decimal:
    """The exact amount; 0 where there is none."""
    try:
        return money.parse(value)
    except ValueError:
        return Decimal(0)


def given(**values: Any) -> Fields:
    """Those of the values that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def named(*parts: str) -> str:
    """A messageId of these parts."""
    whole = "/".join(parts)
    return whole if len(whole) <= MAX_MESSAGE_ID else short(whole, 32)


def short(value: str, size: int = 4) -> str:
    """A digest of a text, of so many bytes, in hex."""
    return blake2b(value.encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()


def words(kind: str) -> str:
    """`fulfillment_events.create` as a name: Fulfillment Events Create."""
    return " ".join(
        word.capitalize() for word in kind.replace("/", " ").replace(".", " ").replace("_", " ").split()
    )


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
