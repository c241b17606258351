"""WooCommerce's webhooks: what they become, and that orders, refunds and cancellations count exactly in any order."""

import base64
import hashlib
import hmac
from typing import Any

import orjson
import pytest

from ingest.accept import accept
from ingest.adapters.adapter import Message, NotGenuine, Taken
from ingest.adapters.woocommerce import ADAPTER
from ingest.canonical import Arrival
from ingest.refusal import Refusal
from tests.ingest.adapters.mutations import mutated
from tests.ingest.adapters.shops import Fields, Known, events, folded, hook, in_any_order, payload, said
from tests.ingest.desks import ANY, NOW
from tests.processors.world import World

SHOP, SECRET = "shop.example.com", "hush"
JOHN = ("shop_customer/" + SHOP, "26")


def signature(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def post(topic: str, sent: Any, **changed: str) -> Taken:
    body = sent if isinstance(sent, bytes) else orjson.dumps(sent)
    headers = {
        "X-WC-Webhook-Source": "https://shop.example.com/", "X-WC-Webhook-Topic": topic,
        "X-WC-Webhook-Resource": topic.partition(".")[0], "X-WC-Webhook-Event": topic.rpartition(".")[2],
        "X-WC-Webhook-ID": "142", "X-WC-Webhook-Delivery-ID": "c7a5b7b5a1d5",
        "X-WC-Webhook-Signature": signature(body),
        **{f"X-WC-Webhook-{name}": value for name, value in changed.items()},
    }  # fmt: skip
    return ADAPTER.take(hook(body, headers), {"secret": SECRET}, {"shop": SHOP})


def sent(topic: str, sent_: Any) -> list[Message]:
    return post(topic, sent_).messages


def order(**changed: Any) -> Fields:
    return payload("woocommerce", "order", **changed)


def refund(number: int, total: str) -> Fields:
    return {"id": number, "reason": "", "total": f"-{total}"}


def test_a_known_signature() -> None:
    """`printf '{"id":1}' | openssl dgst -sha256 -hmac hush -binary | base64`"""
    assert signature(b'{"id":1}') == "VnKUjZsLuN5iZWjn5EntcBVCF9kMN43LglzCE1/GSeY="
    assert post("order.updated", b'{"id":1}').messages


@pytest.mark.parametrize(
    "forged", [signature(orjson.dumps(order()), "guessed"), signature(b"{}"), "", "not base64", "ö"]
)
def test_what_is_not_the_shops_is_not_taken(forged: str) -> None:
    with pytest.raises(NotGenuine):
        post("order.created", order(), Signature=forged)


def test_it_is_verified_before_it_is_parsed() -> None:
    with pytest.raises(NotGenuine):
        post("order.created", b"not JSON", Signature=signature(b"other"))
    with pytest.raises(Refusal):
        post("order.created", b"not JSON")


def test_the_ping_of_a_new_webhook_is_answered() -> None:
    form = {
        "Content-Type": "application/x-www-form-urlencoded",
        "User-Agent": "WooCommerce/9.3 Hookshot (WordPress/6.6)",
    }
    taken = ADAPTER.take(hook(b"webhook_id=142", form), {"secret": SECRET}, {"shop": SHOP})
    assert (taken.messages, taken.reply.status) == ([], 200)
    for body in (b"webhook_id=", b"webhook_id=142&order=1", b'{"id":1}', b""):
        with pytest.raises(NotGenuine):
            ADAPTER.take(hook(body, form), {"secret": SECRET}, {"shop": SHOP})


def test_an_order_that_is_paid() -> None:
    (event,) = events(sent("order.created", order()))
    assert (event.name, event.properties["order_id"]) == ("Order Completed", "727")
    assert (event.properties["total"], event.properties["currency"]) == ("29.35", "USD")
    assert [p.get("sku") for p in event.properties["products"]] == [None, "Bar3"]
    assert event.identifiers == {
        f"shop_customer/{SHOP}": ["26"], "email": ["john.doe@example.org"], f"shop_order/{SHOP}": ["727"],
    }  # fmt: skip
    assert event.traits["phone"] == "(555) 555-5555"
    assert event.original_timestamp == "2026-09-20T19:28:02"
    assert event.context["original"] == order()


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"status": "pending", "date_paid": None, "date_paid_gmt": None}, "Order Placed"),
        ({"status": "on-hold", "date_paid": None, "date_paid_gmt": None}, "Order Placed"),
        ({"status": "failed"}, "Order Placed"),
        ({"status": "checkout-draft", "date_paid": None, "date_paid_gmt": None}, "Order Placed"),
        ({"status": "awaiting-pickup", "date_paid": None, "date_paid_gmt": None}, "Order Placed"),
        ({"status": "awaiting-pickup"}, "Order Completed"),
        ({"status": "completed", "date_paid": None, "date_paid_gmt": None}, "Order Completed"),
        (
            {"status": "processing", "date_paid": None, "date_paid_gmt": None, "payment_method": "cod"},
            "Order Completed",
        ),
    ],
)
def test_an_order_is_a_purchase_once_it_is_paid(changed: Fields, name: str) -> None:
    (event,) = events(sent("order.updated", order(**changed)))
    assert event.name == name


def test_an_order_counts_once_however_often_it_is_told() -> None:
    unpaid = order(status="pending", date_paid=None, date_paid_gmt=None)
    done = order(status="completed", date_modified_gmt="2026-09-21T10:00:00")
    hooks = [sent("order.created", unpaid), sent("order.updated", order()), sent("order.updated", done)]

    def check(world: World) -> None:
        john = Known(world, *JOHN)
        assert (john.stage, john.purchases, john.revenue, len(john.customers)) == (
            "new",
            1,
            {"USD": "29.35"},
            1,
        )
        assert john.part["names"]["Order Completed"][0] == 1

    in_any_order(hooks, check)
    assert Known(folded([said(hooks[0])]), *JOHN).stage == "prospect"


def test_partial_refunds_add_up_by_their_ids() -> None:
    one, two = [refund(726, "10.00")], [refund(726, "10.00"), refund(728, "9.35")]
    hooks = [
        sent("order.created", order()),
        sent("order.updated", order(refunds=one, date_modified_gmt="2026-09-21T10:00:00")),
        sent("order.updated", order(refunds=two, date_modified_gmt="2026-09-21T11:00:00")),
    ]

    def check(world: World) -> None:
        john = Known(world, *JOHN)
        assert (john.stage, john.purchases) == ("new", 1)
        assert (john.revenue, john.refunded) == ({"USD": "10"}, {"USD": "19.35"})

    in_any_order(hooks, check)
    in_any_order(hooks[2:], check)


@pytest.mark.parametrize(
    "back",
    [
        {"status": "refunded", "refunds": [refund(726, "29.35")]},
        {"status": "refunded", "refunds": []},
        {"status": "refunded", "refunds": [refund(726, "1.00")]},
        {"status": "processing", "refunds": [refund(726, "9.35"), refund(728, "20.00")]},
        {"status": "cancelled"},
        {"status": "cancelled", "refunds": [refund(726, "1.00")]},
    ],
)
def test_a_first_order_taken_back_takes_the_customer_back_to_the_stage_before(back: Fields) -> None:
    account = payload("woocommerce", "customer")
    hooks = [
        sent("customer.created", account),
        sent("order.created", order()),
        sent("order.updated", order(**back, date_modified_gmt="2026-09-22T11:00:00")),
    ]

    def check(world: World) -> None:
        john = Known(world, *JOHN)
        assert (john.stage, john.purchases, john.revenue, len(john.customers)) == ("responder", 0, {}, 1)

    in_any_order(hooks, check)
    assert Known(folded([[*said(hooks[0]), *said(hooks[1])]]), *JOHN).stage == "new"


def test_a_guest_is_his_email() -> None:
    (event,) = events(sent("order.created", order(customer_id=0)))
    assert event.identifiers == {"email": ["john.doe@example.org"], f"shop_order/{SHOP}": ["727"]}


def test_customers() -> None:
    (created,) = events(sent("customer.created", payload("woocommerce", "customer")))
    assert (created.name, created.original_timestamp) == ("Signed Up", "2026-09-19T19:09:28")
    (changed,) = events(sent("customer.updated", payload("woocommerce", "customer")))
    assert (changed.name, changed.traits["firstName"]) == ("Identified", "John")
    (gone,) = events(sent("customer.deleted", {"id": 26}))
    assert (gone.name, gone.identifiers) == ("Customer Deleted", {f"shop_customer/{SHOP}": ["26"]})


def test_a_deleted_order_keeps_its_money_and_is_nobodys_doing() -> None:
    hooks = [sent("order.created", order()), sent("order.deleted", {"id": 727})]
    assert events(hooks[1])[0].name == "Order Deleted"

    def check(world: World) -> None:
        john = Known(world, *JOHN)
        assert (john.purchases, john.revenue, len(john.customers)) == (1, {"USD": "29.35"}, 1)
        assert john.part["own_last"] == john.part["own_first"]

    in_any_order(hooks, check)


def test_any_other_topic_is_a_generic_event() -> None:
    (event,) = events(
        sent("subscription.switched", {"id": 5, "customer_id": 26, "billing": {"email": "a@b.example"}})
    )
    assert (event.name, event.identifiers[f"shop_customer/{SHOP}"]) == ("Subscription Switched", ["26"])
    (event,) = events(
        sent("action.woocommerce_add_to_cart", {"action": "woocommerce_add_to_cart", "order_id": 9})
    )
    assert (event.name, event.identifiers) == ("Woocommerce Add To Cart", {f"shop_order/{SHOP}": ["9"]})
    for topic in ("order.refunded", "order.cancelled", "", "."):
        assert events(sent(topic, order()))[0].name.startswith("WooCommerce")


def test_the_same_webhook_again_is_the_same_events() -> None:
    whole = order(status="cancelled", refunds=[refund(1, "2.00")])
    for topic in ("order.updated", "customer.updated", "order.deleted", "x.y"):
        one, again = (post(topic, whole, **{"Delivery-ID": id_}).messages for id_ in ("a", "b"))
        assert [m["messageId"] for m in one] == [m["messageId"] for m in again]


@pytest.mark.parametrize("topic", ["order.updated", "customer.updated", "order.deleted", "x.y"])
def test_whatever_is_in_it_it_is_taken_or_refused(topic: str) -> None:
    for body in mutated(order(refunds=[refund(1, "2.00")], status="refunded"), 150):
        try:
            messages = post(topic, body).messages
        except Refusal:
            continue
        accept(messages, ANY, Arrival(NOW, "request"))
