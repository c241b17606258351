"""WooCommerce's webhooks: orders, customers; any other topic as a generic event. Pure.

Signed with the webhook's secret: `X-WC-Webhook-Signature`, base64 of HMAC-SHA256 over the raw body. A new webhook is
tried by a ping, `webhook_id=ID` in a form and without a signature: it is answered, and nothing of it is kept.

An order is an `Order Completed` once its status is processing, completed or refunded, or it has a date of payment;
`Order Placed` before. Its refunds are in the order, by their ids; the status refunded means all of it, whatever is
listed; cancelled is an `Order Cancelled`. More of it in docs/adapters-ecommerce.md.
"""

import re
from decimal import Decimal

from ingest.adapters.adapter import Adapter, Hook, Message, Named, Taken
from ingest.adapters.checks import formed
from ingest.adapters.commerce import Who, cancelled, completed, generic, message, placed, refunded, taken
from ingest.adapters.reading import (
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
from schemas.identity import SCOPE

PAID = frozenset(("processing", "completed", "refunded"))
UNPAID = frozenset(("pending", "on-hold", "failed", "checkout-draft", "auto-draft"))
"""Statuses of an order of which nothing is paid, whatever was before; shops have statuses of their own besides."""
PING = re.compile(rb"webhook_id=\d{1,20}")


def take(hook: Hook, secrets: Named, config: Named) -> Taken:
    """The messages of one webhook of the configured shop; none for the ping of a new webhook."""
    if b"x-wc-webhook-signature" not in hook.headers and PING.fullmatch(hook.body):
        return Taken([])
    in_base64(hook, b"x-wc-webhook-signature", secrets["secret"])
    topic, sent, shop = header(hook, b"x-wc-webhook-topic"), parsed(hook.body), config["shop"]
    if topic in ("order.created", "order.updated", "order.restored") and id_of(sent.get("id")):
        return taken(hook, _order(sent, shop))
    if topic in ("customer.created", "customer.updated") and id_of(sent.get("id")):
        return taken(hook, [_customer(sent, topic, shop)])
    return taken(hook, [_other(hook, topic, sent, shop)])


def _who(sent: Fields, shop: str, customer: str, order: str = "") -> Who:
    billing = fields(sent.get("billing"))
    traits = given(
        email=text(sent.get("email")) or text(billing.get("email")),
        phone=text(billing.get("phone")),
        firstName=text(sent.get("first_name")) or text(billing.get("first_name")),
        lastName=text(sent.get("last_name")) or text(billing.get("last_name")),
    )
    return Who(shop, customer, order, traits)


def _order(order: Fields, shop: str) -> list[Message]:
    """All that an order states: that it is paid or placed, what went back of it, that it was cancelled."""
    who, status = (
        _who(order, shop, id_of(order.get("customer_id")), id_of(order["id"])),
        text(order.get("status")),
    )
    total, currency, changed = (
        amount(order.get("total")),
        text(order.get("currency")),
        order.get("date_modified_gmt"),
    )
    properties = {"total": total, **given(currency=currency), **_details(order)}
    paid = status in PAID or (
        bool(text(order.get("date_paid_gmt")) or text(order.get("date_paid"))) and status not in UNPAID
    )
    messages = [(completed if paid else placed)(who, order.get("date_created_gmt"), order, properties)]
    back = Decimal(0)
    for refund in objects(order.get("refunds")):
        if id_ := id_of(refund.get("id")):
            part = amount(refund.get("total")).lstrip("-")
            back += exactly(part)
            messages.append(refunded(who, changed, refund, id_, part, currency))
    if status == "refunded" and back < exactly(total):
        messages.append(refunded(who, changed, {"status": status}, "all"))
    if status == "cancelled":
        messages.append(cancelled(who, changed, {"status": status}))
    return messages


def _details(order: Fields) -> Fields:
    return given(
        order_name=text(order.get("number")),
        payment_status=text(order.get("status")),
        payment_method=text(order.get("payment_method")),
        tax=text(order.get("total_tax")),
        shipping=text(order.get("shipping_total")),
        discount=text(order.get("discount_total")),
        coupon=next(
            (code for c in objects(order.get("coupon_lines")) if (code := text(c.get("code")))), None
        ),
        products=[_line(line) for line in objects(order.get("line_items"))],
    )


def _line(line: Fields) -> Fields:
    return given(
        product_id=id_of(line.get("product_id")) or None,
        variant_id=id_of(line.get("variation_id")) or None,
        sku=text(line.get("sku")),
        name=text(line.get("name")),
        quantity=line.get("quantity"),
    )


def _customer(customer: Fields, topic: str, shop: str) -> Message:
    """A customer of WooCommerce is an account."""
    id_ = id_of(customer["id"])
    who = _who(customer, shop, id_)
    if topic == "customer.created":
        return message("Signed Up", named("signed_up", id_), customer.get("date_created_gmt"), who, customer)
    at = customer.get("date_modified_gmt")
    return message("", named("customer", id_, str(at), short(repr(who.traits))), at, who, customer)


def _other(hook: Hook, topic: str, sent: Fields, shop: str) -> Message:
    """Any other topic, of whom it speaks as far as it says so; an `action.` names the action of WordPress."""
    what, _, _ = topic.partition(".")
    order = id_of(sent.get("id")) if what == "order" else id_of(sent.get("order_id"))
    customer = id_of(sent.get("id")) if what == "customer" else id_of(sent.get("customer_id"))
    name = generic("WooCommerce", words(topic.removeprefix("action.")))
    message_id = named("woocommerce", topic, short(hook.body.decode("latin-1"), 16))
    at, who = sent.get("date_modified_gmt"), _who(sent, shop, customer, order)
    return message(name, message_id, at, who, sent, {"topic": topic, **given(order_id=order or None)})


ADAPTER = Adapter(
    "woocommerce",
    "WooCommerce: orders, customers",
    "ecommerce",
    secrets=("secret",),
    config=("shop",),
    take=take,
    checks={
        "shop": formed(
            "shop", SCOPE.pattern, "the shop's domain without scheme, port and path, as shop.example.com"
        )
    },
)
