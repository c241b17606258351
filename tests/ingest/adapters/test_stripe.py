"""Stripe's webhooks: what they become, and that payments and refunds count exactly in any order."""

import hashlib
import hmac
from typing import Any

import orjson
import pytest

from ingest.accept import accept
from ingest.adapters.adapter import Message, NotGenuine, Taken
from ingest.adapters.stripe import ADAPTER, decimal
from ingest.canonical import Arrival
from ingest.refusal import Refusal
from tests.ingest.adapters.mutations import mutated
from tests.ingest.adapters.shops import Fields, Known, events, folded, hook, in_any_order, payload, said
from tests.ingest.desks import ANY, NOW
from tests.processors.world import World

ACCOUNT, SECRET = "acct_1M2JTkLkdIwHu7ix", "whsec_hush"
PAYMENT = "pi_3MtwBwLkdIwHu7ix28a3tqPa"
JENNY = ("shop_customer/" + ACCOUNT, "cus_NffrFeUfNV2Hib")
T = NOW // 1000


def signed(body: bytes, secret: str = SECRET, at: int = T) -> str:
    return hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()


def enveloped(type_: str, found: Any, **fields: Any) -> bytes:
    return orjson.dumps({
        "id": "evt_1NG8Du2eZvKYlo2CUI79vXWy", "object": "event", "api_version": "2026-06-24", "created": 1_789_950_001,
        "data": {"object": found}, "livemode": False, "pending_webhooks": 1,
        "request": {"id": "req_h4mKmJ8cZ6QzXy", "idempotency_key": None}, "type": type_, **fields,
    })  # fmt: skip


def take(body: bytes, header: str | None = None, now: int = NOW) -> Taken:
    header = f"t={T},v1={signed(body)}" if header is None else header
    return ADAPTER.take(
        hook(body, {"Stripe-Signature": header}, now), {"secret": SECRET}, {"account": ACCOUNT}
    )


def sent(type_: str, found: Fields, **fields: Any) -> list[Message]:
    return take(enveloped(type_, found, **fields)).messages


def example(name: str, **changed: Any) -> Fields:
    return payload("stripe", name, **changed)


def refund(number: int, minor: int, **changed: Any) -> list[Message]:
    return sent("refund.created", example("refund", id=f"re_{number}", amount=minor, **changed))


def charge_refunded(minor: int, **changed: Any) -> list[Message]:
    whole = example("charge", amount_refunded=minor, refunded=minor == 2198, **changed)
    return sent("charge.refunded", whole, created=1_789_950_000 + minor)


PAID = sent("payment_intent.succeeded", example("payment_intent"))
NO_PAYMENT = example("invoice_2024", payment_intent=None, charge=None)
SESSION = sent("checkout.session.completed", example("session"))


def test_a_known_signature() -> None:
    """`printf '1790000000.{"id":1}' | openssl dgst -sha256 -hmac whsec_hush`"""
    known = "ed260047f5643c247dcdab2dd1aecb52443de39ed995fbe814cb6fa7dbf5c926"
    assert signed(b'{"id":1}', at=1_790_000_000) == known
    assert take(b'{"id":1}', f"t=1790000000,v1={known}").messages


@pytest.mark.parametrize("late", [-300_000, 0, 300_000])
def test_a_signature_holds_for_five_minutes(late: int) -> None:
    body = enveloped("customer.created", example("customer"))
    assert take(body, now=T * 1000 + late).messages
    for wrong in (-301_000, 301_000, 86_400_000):
        with pytest.raises(NotGenuine):
            take(body, now=T * 1000 + wrong)


def test_while_a_secret_rolls_one_of_several_signatures_is_enough() -> None:
    body = enveloped("customer.created", example("customer"))
    mine, other = signed(body), signed(body, "whsec_other")
    assert take(body, f"t={T},v1={other},v1={mine},v0=ignored").messages
    for forged in (
        "", f"t={T}", f"v1={mine}", f"t={T},v1={other}", f"t={T},v0={mine}", f"t={T + 1},v1={mine}", f"t=x,v1={mine}",
        f"t={T},v1={signed(body + b' ')}", f"t={T},v1=é", "t=,v1=", f"t={T},v1={mine[:-1]}",
    ):  # fmt: skip
        with pytest.raises(NotGenuine):
            take(body, forged)


def test_it_is_verified_before_it_is_parsed_and_of_this_account() -> None:
    with pytest.raises(NotGenuine):
        take(b"not JSON", f"t={T},v1={signed(b'other')}")
    with pytest.raises(Refusal):
        take(b"not JSON")
    with pytest.raises(NotGenuine):
        sent("customer.created", example("customer"), account="acct_other")
    assert sent("customer.created", example("customer"), account=ACCOUNT)


@pytest.mark.parametrize(
    ("minor", "currency", "amount"),
    [
        (1099, "usd", "10.99"), (1, "EUR", "0.01"), (500, "jpy", "500"), (500, "KRW", "500"), (5120, "kwd", "5.12"),
        (1, "bhd", "0.001"), (500, "isk", "5"), (500, "ugx", "5"), (0, "usd", "0"),
        (10**17 + 1, "usd", "1000000000000000.01"),
        ("12", "usd", ""), (1.5, "usd", ""), (True, "usd", ""), (None, None, ""),
    ],
)  # fmt: skip
def test_minor_units_are_of_their_currency(minor: Any, currency: Any, amount: str) -> None:
    assert decimal(minor, currency) == amount


def test_a_payment_is_an_order() -> None:
    (event,) = events(PAID)
    assert (event.name, event.properties["order_id"]) == ("Order Completed", PAYMENT)
    assert (event.properties["total"], event.properties["currency"]) == ("21.98", "USD")
    assert event.identifiers == {JENNY[0]: [JENNY[1]], f"shop_order/{ACCOUNT}": [PAYMENT]}
    (event,) = events(SESSION)
    assert (event.name, event.properties["order_id"], event.properties["total"]) == (
        "Order Completed",
        PAYMENT,
        "21.98",
    )
    assert event.identifiers == {
        JENNY[0]: [JENNY[1]], "email": ["jenny.rosen@example.net"], "phone": ["+14155552671"],
        f"shop_order/{ACCOUNT}": [PAYMENT],
    }  # fmt: skip
    assert event.context["original"] == example("session")


def test_one_payment_counts_once_whatever_tells_of_it() -> None:
    newer = example("invoice_2024", payment_intent=None, charge=None, payments={
        "data": [{"object": "invoice_payment", "payment": {"type": "payment_intent", "payment_intent": PAYMENT}}]
    })  # fmt: skip
    hooks = [
        SESSION, PAID, sent("charge.succeeded", example("charge")), sent("invoice.paid", example("invoice_2024")),
        sent("invoice.payment_succeeded", newer),
        sent("invoice.paid", example("invoice_2024", payment_intent=None, charge=None)),
    ]  # fmt: skip

    def check(world: World) -> None:
        jenny = Known(world, *JENNY)
        assert (jenny.stage, jenny.purchases, jenny.revenue, len(jenny.customers)) == (
            "new",
            1,
            {"USD": "21.98"},
            1,
        )

    in_any_order(hooks, check)
    for alone in (SESSION, PAID, hooks[3]):
        check(folded([said(alone)]))


@pytest.mark.parametrize(
    "told",
    [
        lambda: [refund(1, 1000), refund(2, 198)],
        lambda: [charge_refunded(1000), charge_refunded(1198)],
        lambda: [charge_refunded(1198)],
        lambda: [refund(1, 1000), charge_refunded(1000), refund(2, 198), charge_refunded(1198)],
        lambda: [refund(1, 1000), charge_refunded(1198)],
        lambda: [refund(1, 1000), sent("refund.updated", example("refund", id="re_1")), refund(2, 198)],
    ],
)
def test_refunds_count_whether_told_one_by_one_or_as_their_sum_or_both(told: Any) -> None:
    def check(world: World) -> None:
        jenny = Known(world, *JENNY)
        assert (jenny.stage, jenny.purchases, len(jenny.customers)) == ("new", 1, 1)
        assert (jenny.revenue, jenny.refunded) == ({"USD": "10"}, {"USD": "11.98"})

    in_any_order([PAID, *told()], check)


@pytest.mark.parametrize("paid", [PAID, SESSION])
@pytest.mark.parametrize("told", [lambda: [refund(1, 2000), refund(2, 198)], lambda: [charge_refunded(2198)]])
def test_a_first_order_taken_back_takes_the_customer_back_to_the_stage_before(told: Any, paid: Any) -> None:
    """The account is one of another system, known by the e-mail address."""
    signed_up = {
        "type": "track", "event": "Signed Up", "messageId": "s", "timestamp": 1_789_800_000, "properties": {},
        "traits": {"email": "jenny.rosen@example.net"}, "context": {},
    }  # fmt: skip
    before = said([signed_up])
    hooks = [sent("customer.created", example("customer")), paid, *told()]

    def check(world: World) -> None:
        jenny = Known(world, *JENNY)
        assert (jenny.stage, jenny.purchases, jenny.revenue, len(jenny.customers)) == ("responder", 0, {}, 1)

    in_any_order(hooks, check, before)
    bought = Known(folded([[*before, *said(hooks[0]), *said(paid)]]), *JENNY)
    assert (bought.stage, bought.revenue) == ("new", {"USD": "21.98"})


def test_a_guests_refund_finds_him_by_the_payment_alone() -> None:
    guest = sent("checkout.session.completed", example("session", customer=None))
    back = refund(1, 2198)
    assert events(back)[0].identifiers == {f"shop_order/{ACCOUNT}": [PAYMENT]}

    def check(world: World) -> None:
        known = Known(world, "email", "jenny.rosen@example.net")
        assert (known.stage, known.purchases, known.refunded, len(known.customers)) == (
            "prospect",
            0,
            {"USD": "21.98"},
            1,
        )

    in_any_order([guest, back], check)


def test_a_refund_counts_when_its_money_is_on_the_way() -> None:
    for status in ("pending", "requires_action", "failed", "canceled"):
        (event,) = events(refund(1, 1000, status=status))
        assert (event.name, event.properties["status"]) == ("Refund Noted", status)
    (event,) = events(sent("refund.updated", example("refund")))
    assert (event.name, event.properties["total"]) == ("Order Refunded", "10")
    assert events(sent("refund.failed", example("refund", status="failed")))[0].name == "Refund Noted"


@pytest.mark.parametrize(
    ("type_", "found", "name"),
    [
        ("checkout.session.completed", example("session", payment_status="unpaid"), "Order Placed"),
        ("checkout.session.async_payment_succeeded", example("session"), "Order Completed"),
        ("checkout.session.completed", example("session", payment_intent=None, amount_total=0), "Order Completed"),
        ("checkout.session.completed", example("session", mode="subscription"), "Checkout Session Completed"),
        ("checkout.session.completed", example("session", mode="setup"), "Checkout Session Completed"),
        ("charge.succeeded", example("charge"), "Charge Succeeded"),
        ("charge.succeeded", example("charge", payment_intent=None), "Order Completed"),
        ("charge.succeeded", example("charge", payment_intent=None, captured=False), "Charge Succeeded"),
        ("charge.captured", example("charge", payment_intent=None), "Order Completed"),
        ("invoice.paid", example("invoice_2024", amount_paid=0), "Invoice Paid"),
        ("invoice.paid", NO_PAYMENT, "Invoice Paid"),
        ("invoice.paid", {**NO_PAYMENT, "paid_out_of_band": True}, "Order Completed"),
        ("payment_intent.payment_failed", example("payment_intent"), "Payment Intent Payment Failed"),
        ("customer.created", example("customer"), "Identified"),
        ("customer.updated", example("customer"), "Identified"),
        ("customer.deleted", example("customer"), "Customer Deleted"),
        ("customer.subscription.created", example("subscription"), "Subscription Created"),
        ("customer.subscription.deleted", example("subscription", status="canceled"), "Subscription Deleted"),
        ("order.refunded", example("charge"), "Stripe Order Refunded"),
        ("something.never_seen", example("customer"), "Something Never Seen"),
        ("", example("customer"), "Stripe"),
    ],
)  # fmt: skip
def test_what_becomes_what(type_: str, found: Fields, name: str) -> None:
    (event,) = events(sent(type_, found))
    assert event.name == name
    assert event.identifiers[JENNY[0]] == [JENNY[1]]
    assert event.context["original"] == found


def test_what_is_expanded_is_read_by_its_id() -> None:
    whole = example("session", customer=example("customer"), payment_intent=example("payment_intent"))
    (event,) = events(sent("checkout.session.completed", whole))
    assert (event.properties["order_id"], event.identifiers[JENNY[0]]) == (PAYMENT, [JENNY[1]])


def test_the_same_event_again_is_the_same_message() -> None:
    for type_, name in (
        ("charge.refunded", "charge"),
        ("refund.created", "refund"),
        ("invoice.created", "invoice_2024"),
    ):
        body = enveloped(type_, example(name))
        again = f"t={T + 60},v1={signed(body, at=T + 60)}"
        assert [m["messageId"] for m in take(body).messages] == [
            m["messageId"] for m in take(body, again).messages
        ]


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        ("checkout.session.completed", "session"), ("payment_intent.succeeded", "payment_intent"),
        ("charge.refunded", "charge"), ("refund.created", "refund"), ("invoice.paid", "invoice_2024"),
        ("customer.updated", "customer"), ("customer.subscription.updated", "subscription"),
    ],
)  # fmt: skip
def test_whatever_is_in_it_it_is_taken_or_refused(type_: str, name: str) -> None:
    whole = orjson.loads(enveloped(type_, example(name)))
    for body in mutated(whole, 100):
        try:
            messages = take(body).messages
        except (Refusal, NotGenuine):
            continue
        accept(messages, ANY, Arrival(NOW, "request"))
