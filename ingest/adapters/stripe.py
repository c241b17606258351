"""Stripe's webhooks: payments, refunds, customers, subscriptions; any other type as a generic event. Pure.

    Stripe-Signature: t=1790000000,v1=<hex of HMAC-SHA256 of `1790000000.` and the body>,v1=<by the secret to come>

An order is a payment: its id is the payment intent's, else the charge's, the invoice's or the session's. So a checkout
session, the payment intent, and an invoice that names it are one `Order Completed`. Refunds are stated one by one
(`refund.created`, `refund.updated`), and by a charge as all that went back of it so far: the books take the greater, so
either or both will do. What counts when is told in docs/adapters-ecommerce.md.

A refund names no customer: it finds him by the order's identifier (`ingest.adapters.commerce`).
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from ingest.adapters.adapter import Adapter, Hook, Message, Named, NotGenuine, Taken
from ingest.adapters.checks import formed
from ingest.adapters.commerce import (
    Who,
    completed,
    generic,
    message,
    noted,
    placed,
    refunded,
    refunded_so_far,
    taken,
)
from ingest.adapters.reading import (
    Fields,
    fields,
    given,
    id_of,
    named,
    objects,
    parsed,
    short,
    text,
    words,
)
from ingest.adapters.signatures import with_time
from schemas import money

WHOLE = frozenset((
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf",
))  # fmt: skip
"""Currencies without minor units. Not isk and ugx, of which Stripe states hundredths all the same."""
THOUSANDTHS = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))


class Sent(NamedTuple):
    """One event: its id and type, when it was made (Unix s), its object, and the account that it is of."""

    id: str
    type: str
    at: Any
    object: Fields
    account: str


def take(hook: Hook, secrets: Named, config: Named) -> Taken:
    """The messages of one event of the configured account."""
    with_time(hook, b"stripe-signature", secrets["secret"])
    event, account = parsed(hook.body), config["account"]
    if (other := text(event.get("account"))) and other != account:
        raise NotGenuine("of another account than this source's")
    id_ = text(event.get("id")) or short(hook.body.decode("latin-1"), 16)
    sent = Sent(
        id_,
        text(event.get("type")) or "",
        event.get("created"),
        fields(fields(event.get("data")).get("object")),
        account,
    )
    stated = STATES.get(sent.type)
    return taken(hook, [(stated(sent) if stated else None) or _generic(sent)])


def decimal(minor: Any, currency: Any) -> str:
    """An amount in minor units as a decimal text; empty, which `accept` refuses as an amount, where it is none."""
    if type(minor) is not int:
        return ""
    code = currency.lower() if isinstance(currency, str) else ""
    places = 0 if code in WHOLE else 3 if code in THOUSANDTHS else 2
    return money.text(Decimal(minor).scaleb(-places))


def _ref(value: Any) -> str:
    """The id that a field names, whether or not the object is expanded."""
    return id_of(value.get("id")) if isinstance(value, dict) else id_of(value)


def _who(sent: Sent, order: str = "") -> Who:
    found = sent.object
    person, billed = fields(found.get("customer_details")), fields(found.get("billing_details"))
    customer = _ref(found) if found.get("object") == "customer" else _ref(found.get("customer"))
    mine = found if found.get("object") == "customer" else {}
    emails = (mine.get("email"), person.get("email"), found.get("customer_email"), billed.get("email"))
    traits = given(
        email=next((e for each in (*emails, found.get("receipt_email")) if (e := text(each))), None),
        phone=text(mine.get("phone")) or text(person.get("phone")) or text(billed.get("phone")),
        name=text(mine.get("name")) or text(person.get("name")) or text(billed.get("name")),
    )
    return Who(sent.account, customer, order, traits)


def _paid(sent: Sent, order: str, minor: Any, make: Callable[..., Message] = completed) -> Message:
    currency = sent.object.get("currency")
    properties = {
        "total": decimal(minor, currency),
        **given(currency=text(currency), payment=sent.object.get("id")),
    }
    return make(_who(sent, order), sent.at, sent.object, properties)


def _session(sent: Sent) -> Message | None:
    """A checkout of payments; one of a subscription is paid by its invoice, one that sets up by nothing."""
    session = sent.object
    order = _ref(session.get("payment_intent")) or _ref(session)
    if session.get("mode") != "payment" or not order:
        return None
    paid = session.get("payment_status") in ("paid", "no_payment_required")
    return _paid(sent, order, session.get("amount_total"), completed if paid else placed)


def _intent(sent: Sent) -> Message | None:
    order = _ref(sent.object)
    received = sent.object.get("amount_received", sent.object.get("amount"))
    return _paid(sent, order, received) if order else None


def _charge(sent: Sent) -> Message | None:
    """A charge of no payment intent is an order of its own, once it is captured."""
    charge, order = sent.object, _ref(sent.object)
    if _ref(charge.get("payment_intent")) or not order or charge.get("captured") is False:
        return None
    return _paid(sent, order, charge.get("amount_captured", charge.get("amount")))


def _invoice(sent: Sent) -> Message | None:
    """An invoice is the order of its payment, or of its own where it was paid elsewhere; of nothing it is none.

    From version 2025-03-31 on it does not tell its payment, unless it has `payments`: the payment intent's event does.
    """
    invoice = sent.object
    payments = [fields(p.get("payment")) for p in objects(fields(invoice.get("payments")).get("data"))]
    named_ = [_ref(invoice.get("payment_intent")), *(_ref(p.get("payment_intent")) for p in payments)]
    elsewhere = _ref(invoice) if invoice.get("paid_out_of_band") else ""
    order = next(filter(None, named_), "") or _ref(invoice.get("charge")) or elsewhere
    minor = (
        invoice.get("amount_due")
        if elsewhere and not invoice.get("amount_paid")
        else invoice.get("amount_paid")
    )
    return _paid(sent, order, minor) if order and minor else None


def _refund(sent: Sent) -> Message | None:
    """One refund, once its money is on the way."""
    refund = sent.object
    order = _ref(refund.get("payment_intent")) or _ref(refund.get("charge"))
    if not (order and _ref(refund)):
        return None
    if refund.get("status", "succeeded") != "succeeded":
        return noted(_who(sent, order), sent.at, refund)
    currency, at = refund.get("currency"), refund.get("created") or sent.at
    total = decimal(refund.get("amount"), currency)
    return refunded(_who(sent, order), at, refund, _ref(refund), total, text(currency))


def _charge_refunded(sent: Sent) -> Message | None:
    """All that went back of a charge so far."""
    charge = sent.object
    order, currency = _ref(charge.get("payment_intent")) or _ref(charge), charge.get("currency")
    if not order:
        return None
    total = decimal(charge.get("amount_refunded"), currency)
    return refunded_so_far(_who(sent, order), sent.at, charge, total, text(currency))


def _customer(sent: Sent) -> Message:
    """Whom Stripe bills: what is known of a customer, and no account."""
    return message("", named(sent.id), sent.at, _who(sent), sent.object)


def _generic(sent: Sent) -> Message:
    """Any other type, of whom it speaks as far as it says; `customer.subscription.created` is Subscription Created."""
    found, kind = sent.object, sent.object.get("object")
    own = _ref(found) if kind in ("payment_intent", "charge") else ""
    order = (
        _ref(found.get("payment_intent")) or own or (_ref(found.get("charge")) if kind != "invoice" else "")
    )
    inner = sent.type.removeprefix("customer.") if sent.type.count(".") > 1 else sent.type
    properties = {
        "type": sent.type,
        **given(
            object_id=_ref(found) or None, status=text(found.get("status")), subscription=_subscription(found)
        ),
    }
    return message(
        generic("Stripe", words(inner)), named(sent.id), sent.at, _who(sent, order), found, properties
    )


def _subscription(found: Fields) -> str | None:
    return (_ref(found) if found.get("object") == "subscription" else _ref(found.get("subscription"))) or None


STATES: dict[str, Callable[[Sent], Message | None]] = {
    "checkout.session.completed": _session,
    "checkout.session.async_payment_succeeded": _session,
    "payment_intent.succeeded": _intent,
    "charge.succeeded": _charge,
    "charge.captured": _charge,
    "charge.refunded": _charge_refunded,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.refund.updated": _refund,
    "invoice.paid": _invoice,
    "invoice.payment_succeeded": _invoice,
    "customer.created": _customer,
    "customer.updated": _customer,
}
"""Types that state something; where one states nothing after all, it is a generic event."""

ADAPTER = Adapter(
    "stripe",
    "Stripe: payments, refunds, customers, subscriptions",
    "ecommerce",
    secrets=("secret",),
    config=("account",),
    take=take,
    checks={
        "account": formed(
            "account", r"acct_[A-Za-z0-9]{1,59}", "the account's id of Stripe's dashboard, as acct_1M2JTk"
        )
    },
)
