"""Shopify's webhooks: orders, refunds, customers, checkouts; any other topic as a generic event. Pure.

Signed with the app's client secret: `X-Shopify-Hmac-Sha256`, base64 of HMAC-SHA256 over the raw body.
What an order, a payment and a refund come to is told in docs/adapters-ecommerce.md; in short:

- an order is an `Order Completed` once it is paid in full, whichever topic says so first, and `Order Placed` before;
  its total is `total_price` as the customer paid it (the presentment currency: the one that refunds are stated in);
- a refund is the money of its transactions, from `refunds/create` as from the order that lists it, once by its id;
- a cancelled order is an `Order Cancelled`, whatever was refunded of it.

`refunds/create` names no customer: it finds him by the order's identifier (`ingest.adapters.commerce`).
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ingest.adapters.adapter import Adapter, Hook, Message, Named, NotGenuine, Taken
from ingest.adapters.checks import formed
from ingest.adapters.commerce import (
    Who,
    cancelled,
    completed,
    generic,
    message,
    noted,
    placed,
    refunded,
    taken,
)
from ingest.adapters.reading import (
    NOTHING,
    Fields,
    amount,
    exactly,
    fields,
    given,
    header,
    id_of,
    named,
    objects,
    parsed,
    short,
    text,
    words,
)
from ingest.adapters.signatures import in_base64
from schemas import money

PAID = frozenset(("paid", "partially_refunded", "refunded"))
"""Values of `financial_status` of an order of which all was paid."""
REFUNDS = frozenset(("success", "pending"))
DONE = {
    "create": "Created",
    "update": "Updated",
    "delete": "Deleted",
    "disable": "Disabled",
    "redact": "Redacted",
}


def take(hook: Hook, secrets: Named, config: Named) -> Taken:
    """The messages of one webhook of the configured shop."""
    shop = config["shop"]
    _verify(hook, secrets["secret"], shop)
    topic, sent = header(hook, b"x-shopify-topic"), parsed(hook.body)
    stated = STATES.get(topic)
    return taken(hook, (stated(sent, topic, shop) if stated else []) or [_other(hook, topic, sent, shop)])


def _verify(hook: Hook, secret: str, shop: str) -> None:
    in_base64(hook, b"x-shopify-hmac-sha256", secret)
    if header(hook, b"x-shopify-shop-domain").lower() != shop.lower():
        raise NotGenuine("from another shop than this source's")


def _who(sent: Fields, shop: str, order: str = "") -> Who:
    customer = fields(sent.get("customer"))
    return Who(shop, id_of(customer.get("id")), order, _traits(sent, customer))


def _traits(sent: Fields, customer: Fields) -> Fields:
    return given(
        email=text(sent.get("email")) or text(sent.get("contact_email")) or text(customer.get("email")),
        phone=text(sent.get("phone")) or text(customer.get("phone")),
        firstName=text(customer.get("first_name")),
        lastName=text(customer.get("last_name")),
    )


def _order(order: Fields, topic: str, shop: str) -> list[Message]:
    """All that an order states: that it is paid or placed, what went back of it, that it was cancelled."""
    if not (id_ := id_of(order.get("id"))):
        return []
    who, at, status = _who(order, shop, id_), _placed_at(order), order.get("financial_status")
    total, currency = _total(order)
    properties = {"total": total, **given(currency=currency), **_details(order, currency)}
    paid = topic == "orders/paid" or (isinstance(status, str) and status in PAID)
    messages = [(completed if paid else placed)(who, at, order, properties)]
    refunds = [made for refund in objects(order.get("refunds")) if (made := _refund(refund, who))]
    messages += refunds
    back = sum((exactly(made["properties"]["total"]) for made in refunds), Decimal(0))
    if status == "refunded" and back < exactly(total):
        messages.append(refunded(who, order.get("updated_at"), NOTHING, "all"))
    if topic == "orders/cancelled" or order.get("cancelled_at"):
        stated = {"cancelled_at": order.get("cancelled_at"), "cancel_reason": order.get("cancel_reason")}
        at = order.get("cancelled_at") or order.get("updated_at")
        messages.append(cancelled(who, at, stated, order.get("cancel_reason")))
    return messages


def _placed_at(order: Fields) -> Any:
    """When the order was made: the same whoever tells of it, so that what the shop does later wakes nobody."""
    return order.get("processed_at") or order.get("created_at")


def _total(order: Fields) -> tuple[str, str | None]:
    """The total and its currency, as the customer paid it."""
    paid = fields(fields(order.get("total_price_set")).get("presentment_money"))
    if text(paid.get("amount")) and text(paid.get("currency_code")):
        return paid["amount"], paid["currency_code"]
    return amount(order.get("total_price")), text(order.get("currency"))


def _details(order: Fields, currency: str | None) -> Fields:
    """What else is worth a property; the shop's amounts only where they are of the order's currency."""
    details = given(
        order_name=text(order.get("name")),
        payment_status=text(order.get("financial_status")),
        coupon=next(
            (code for c in objects(order.get("discount_codes")) if (code := text(c.get("code")))), None
        ),
        products=[_line(line) for line in objects(order.get("line_items"))],
    )
    if currency == order.get("currency"):
        details |= given(
            subtotal=text(order.get("subtotal_price")),
            tax=text(order.get("total_tax")),
            discount=text(order.get("total_discounts")),
        )
    return details


def _line(line: Fields) -> Fields:
    return given(
        product_id=id_of(line.get("product_id")) or None,
        variant_id=id_of(line.get("variant_id")) or None,
        sku=text(line.get("sku")),
        name=text(line.get("title")),
        quantity=line.get("quantity"),
    )


def _refund(refund: Fields, who: Who) -> Message | None:
    """The money that went back; None where none did (goods came back, or an item was taken off the order)."""
    id_, transactions = id_of(refund.get("id")), objects(refund.get("transactions"))
    back = [t for t in transactions if t.get("kind") == "refund" and t.get("status", "success") in REFUNDS]
    if not (who.order and id_ and back):
        return None
    amounts = [amount(t.get("amount")) for t in back]
    total = amounts[0] if len(amounts) == 1 else money.text(sum(map(exactly, amounts), Decimal(0)))
    at = refund.get("processed_at") or refund.get("created_at")
    return refunded(who, at, refund, id_, total, text(back[0].get("currency")))


def _refunded(refund: Fields, _: str, shop: str) -> list[Message]:
    """A refund by itself, which knows its order only."""
    who = Who(shop, order=id_of(refund.get("order_id")))
    if made := _refund(refund, who):
        return [made]
    return [noted(who, refund.get("created_at"), refund)] if who.order and id_of(refund.get("id")) else []


def _customer(customer: Fields, topic: str, shop: str) -> list[Message]:
    """An account, where it is one; else what the shop knows of a customer."""
    if not (id_ := id_of(customer.get("id"))):
        return []
    who = Who(
        shop, id_, "", {**_traits(customer, customer), **given(createdAt=text(customer.get("created_at")))}
    )
    if topic == "customers/enable" or (topic == "customers/create" and customer.get("state") == "enabled"):
        return [message("Signed Up", named("signed_up", id_), customer.get("created_at"), who, customer)]
    at = customer.get("updated_at")
    return [message("", named("customer", id_, str(at), short(repr(who.traits))), at, who, customer)]


def _checkout(checkout: Fields, topic: str, shop: str) -> list[Message]:
    who, token = _who(checkout, shop), id_of(checkout.get("token"))
    if not token:
        return []
    at = checkout.get("created_at" if topic == "checkouts/create" else "updated_at")
    properties = {
        "checkout_id": token,
        **given(
            total=text(checkout.get("total_price")),
            currency=text(checkout.get("presentment_currency")) or text(checkout.get("currency")),
            products=[_line(line) for line in objects(checkout.get("line_items"))],
        ),
    }
    name = "Checkout Started" if topic == "checkouts/create" else "Checkout Updated"
    return [message(name, named("checkout", token, name, str(at)), at, who, checkout, properties)]


def _other(hook: Hook, topic: str, sent: Fields, shop: str) -> Message:
    """Any other topic, of whom it speaks as far as it says so."""
    what, _, done = topic.partition("/")
    name = generic("Shopify", f"{words(what).removesuffix('s')} {DONE.get(done) or words(done)}".strip())
    sent_of = {what: sent.get("id")}
    inner = [sent, *(value for value in sent.values() if isinstance(value, dict))]
    order = id_of(sent_of.get("orders")) or next((o for i in inner if (o := id_of(i.get("order_id")))), "")
    who = _who(sent if what != "customers" or "customer" in sent else {**sent, "customer": sent}, shop, order)
    if not who.customer and (customer := id_of(sent.get("customer_id"))):
        who = who._replace(customer=customer)
    event = header(hook, b"x-shopify-event-id") or header(hook, b"x-shopify-webhook-id")
    message_id = named("shopify", topic, event or short(hook.body.decode("latin-1"), 16))
    at = header(hook, b"x-shopify-triggered-at") or sent.get("updated_at") or sent.get("created_at")
    properties = {"topic": topic, **given(order_id=order or None)}
    return message(name, message_id, at, who, sent, properties)


STATES: dict[str, Callable[[Fields, str, str], list[Message]]] = {
    "orders/create": _order,
    "orders/paid": _order,
    "orders/updated": _order,
    "orders/cancelled": _order,
    "refunds/create": _refunded,
    "customers/create": _customer,
    "customers/update": _customer,
    "customers/enable": _customer,
    "checkouts/create": _checkout,
    "checkouts/update": _checkout,
}
"""Topics that state something; what one states nothing of after all is a generic event."""

ADAPTER = Adapter(
    "shopify",
    "Shopify: orders, refunds, customers, checkouts",
    "ecommerce",
    secrets=("secret",),
    config=("shop",),
    take=take,
    checks={
        "shop": formed(
            "shop",
            r"(?=.{1,64}\Z)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+",
            "the bare domain that Shopify sends as X-Shopify-Shop-Domain, as acme.myshopify.com",
        )
    },
)
