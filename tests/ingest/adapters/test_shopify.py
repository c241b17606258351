"""Shopify's webhooks: what they become, and that orders, refunds and cancellations count exactly in any order."""

import base64
import copy
import hashlib
import hmac
from typing import Any

import orjson
import pytest

from ingest.accept import accept
from ingest.adapters.adapter import Message, NotGenuine, Taken
from ingest.adapters.shopify import ADAPTER
from ingest.canonical import Arrival
from ingest.refusal import Refusal
from schemas.state import MAX_COUNTLESS
from tests.ingest.adapters.mutations import mutated
from tests.ingest.adapters.shops import (
    Fields,
    Known,
    events,
    folded,
    hook,
    in_any_order,
    payload,
    said,
)
from tests.ingest.desks import ANY, NOW
from tests.processors.events import Said
from tests.processors.world import World

SHOP, SECRET = "acme.myshopify.com", "hush"
ORDER = "820982911946154508"
JOHN = ("shop_customer/" + SHOP, "115310627314723954")


def signature(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def post(topic: str, sent: Any, **changed: str) -> Taken:
    body = sent if isinstance(sent, bytes) else orjson.dumps(sent)
    headers = {
        "X-Shopify-Topic": topic, "X-Shopify-Hmac-Sha256": signature(body), "X-Shopify-Shop-Domain": SHOP,
        "X-Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
        "X-Shopify-Event-Id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
        "X-Shopify-Triggered-At": "2026-09-21T12:00:00.123456789Z", "X-Shopify-API-Version": "2026-07",
        **{f"X-Shopify-{name.replace('_', '-')}": value for name, value in changed.items()},
    }  # fmt: skip
    return ADAPTER.take(hook(body, headers), {"secret": SECRET}, {"shop": SHOP})


def sent(topic: str, sent_: Any) -> list[Message]:
    return post(topic, sent_).messages


def order(**changed: Any) -> Fields:
    return payload("shopify", "order", **changed)


def refund(number: int = 890088186047892319, amount: str = "199.00", **changed: Any) -> Fields:
    found = payload("shopify", "refund", id=number, **changed)
    if found["transactions"]:
        found["transactions"][0]["amount"] = amount
    return found


def test_a_known_signature() -> None:
    """`printf '{"id":1}' | openssl dgst -sha256 -hmac hush -binary | base64`"""
    assert signature(b'{"id":1}') == "VnKUjZsLuN5iZWjn5EntcBVCF9kMN43LglzCE1/GSeY="
    assert post("orders/create", b'{"id":1}').messages


@pytest.mark.parametrize(
    "forged",
    [
        {"Hmac_Sha256": signature(orjson.dumps(order()), "guessed")},
        {"Hmac_Sha256": signature(b"{}")},
        {"Hmac_Sha256": ""},
        {"Hmac_Sha256": "ö not base64"},
        {"Shop_Domain": "other.myshopify.com"},
        {"Shop_Domain": ""},
    ],
)
def test_what_is_not_the_shops_is_not_taken(forged: dict[str, str]) -> None:
    with pytest.raises(NotGenuine):
        post("orders/create", order(), **forged)


def test_it_is_verified_before_it_is_parsed() -> None:
    with pytest.raises(NotGenuine):
        post("orders/create", b"not JSON", Hmac_Sha256=signature(b"other"))
    with pytest.raises(Refusal):
        post("orders/create", b"not JSON")
    with pytest.raises(Refusal):
        post("orders/create", b"[]")


def test_an_order_that_is_paid() -> None:
    (event,) = events(sent("orders/create", order()))
    assert (event.name, event.source, event.properties["order_id"]) == ("Order Completed", "shop", ORDER)
    assert (event.properties["total"], event.properties["currency"]) == ("398", "USD")
    assert [p["sku"] for p in event.properties["products"]] == ["IPOD2008PINK", "IPOD2008PINK"]
    assert event.identifiers == {
        f"shop_customer/{SHOP}": ["115310627314723954"],
        "email": ["jon@biller.example"],
        f"shop_order/{SHOP}": [ORDER],
    }
    assert event.traits == {"email": "jon@biller.example", "firstName": "John", "lastName": "Smith"}
    assert event.context["original"] == order()
    assert event.original_timestamp == "2026-09-20T09:00:00-04:00"


def test_all_topics_that_tell_of_a_paid_order_are_one_event() -> None:
    later = order(updated_at="2026-12-01T00:00:00Z", fulfillment_status="fulfilled", tags="packed")
    told = [sent("orders/create", order()), sent("orders/paid", later), sent("orders/updated", later)]
    first, *rest = [events(messages) for messages in told]
    for again in rest:
        assert [(e.message_id, e.occurred_at) for e in again] == [
            (e.message_id, e.occurred_at) for e in first
        ]


@pytest.mark.parametrize("status", ["pending", "authorized", "partially_paid", "voided", "expired", None])
def test_an_order_that_is_not_paid_is_no_purchase(status: str | None) -> None:
    unpaid = order(financial_status=status)
    for topic in ("orders/create", "orders/updated"):
        (event,) = events(sent(topic, unpaid))
        assert event.name == "Order Placed"
    assert events(sent("orders/paid", unpaid))[0].name == "Order Completed"


def test_an_order_counts_once_when_it_is_paid_days_later() -> None:
    unpaid, paid = order(financial_status="pending"), order(updated_at="2026-09-21T00:00:00Z")
    hooks = [sent("orders/create", unpaid), sent("orders/paid", paid), sent("orders/updated", paid)]

    def check(world: World) -> None:
        john = Known(world, *JOHN)
        assert (john.stage, john.purchases, john.revenue, len(john.customers)) == (
            "new",
            1,
            {"USD": "398"},
            1,
        )
        assert john.part["names"]["Order Completed"][0] == 1

    in_any_order(hooks, check)
    assert Known(folded([said(hooks[0])]), *JOHN).stage == "prospect"


def test_a_refund_finds_its_customer_by_the_order_alone() -> None:
    (event,) = events(sent("refunds/create", refund()))
    assert event.identifiers == {f"shop_order/{SHOP}": [ORDER]}
    assert event.properties == {
        "order_id": ORDER, "refund_id": "890088186047892319", "total": "199", "currency": "USD",
    }  # fmt: skip

    def check(world: World) -> None:
        john = Known(world, *JOHN)
        assert (john.stage, john.purchases, len(john.customers)) == ("new", 1, 1)
        assert (john.revenue, john.refunded) == ({"USD": "199"}, {"USD": "199"})

    in_any_order([sent("orders/create", order()), sent("refunds/create", refund())], check)


def test_partial_refunds_add_up_however_often_and_in_whatever_order_they_are_told() -> None:
    first, second = refund(1, "100.10"), refund(2, "97.90")
    after = order(
        financial_status="partially_refunded", refunds=[first, second], updated_at="2026-09-22T00:00:00Z"
    )

    def check(world: World) -> None:
        john = Known(world, *JOHN)
        assert (john.stage, john.purchases, len(john.customers)) == ("new", 1, 1)
        assert (john.revenue, john.refunded) == ({"USD": "200"}, {"USD": "198"})

    hooks = [sent("orders/create", order()), sent("refunds/create", first), sent("refunds/create", second)]
    in_any_order(hooks, check)
    in_any_order([*hooks, sent("orders/updated", after)], check)
    in_any_order([sent("orders/updated", after)], check)


@pytest.mark.parametrize("way", ["two refunds", "status", "cancelled", "cancelled and refunded"])
def test_a_first_order_taken_back_takes_the_customer_back_to_the_stage_before(way: str) -> None:
    parts = [refund(1, "199.00"), refund(2, "199.00")]
    back = {
        "two refunds": [sent("refunds/create", part) for part in parts],
        "status": [sent("orders/updated", order(financial_status="refunded", refunds=[refund(1, "60.00")]))],
        "cancelled": [sent("orders/cancelled", order(cancelled_at="2026-09-21T00:00:00Z", cancel_reason="customer"))],
        "cancelled and refunded": [
            sent("refunds/create", parts[0]),
            sent("orders/updated", order(financial_status="refunded", refunds=parts, cancelled_at="2026-09-21")),
        ],
    }[way]  # fmt: skip
    account = payload("shopify", "customer", id=115310627314723954)
    hooks = [sent("customers/create", account), sent("orders/paid", order()), *back]

    def check(world: World) -> None:
        john = Known(world, *JOHN)
        assert (john.stage, john.purchases, john.revenue, len(john.customers)) == ("responder", 0, {}, 1)

    in_any_order(hooks, check)
    before = folded([[*said(hooks[0]), *said(hooks[1])]])
    assert Known(before, *JOHN).stage == "new"


def test_of_two_orders_the_one_that_stays_keeps_the_customer() -> None:
    second = order(
        id=450789469, processed_at="2026-09-20T10:00:00-04:00", total_price="10.00", total_price_set=None
    )
    hooks = [
        sent("orders/create", order()),
        sent("orders/create", second),
        sent("refunds/create", refund(1, "398.00")),
    ]

    def check(world: World) -> None:
        john = Known(world, *JOHN)
        assert (john.stage, john.purchases, john.revenue) == ("new", 1, {"USD": "10"})

    in_any_order(hooks, check)


def test_an_order_that_grows_is_of_its_greatest_amount() -> None:
    grown = order(total_price="1020.00", total_price_set=None, updated_at="2026-09-21T00:00:00Z")
    hooks = [sent("orders/create", order()), sent("orders/paid", grown), sent("orders/updated", grown)]

    def check(world: World) -> None:
        john = Known(world, *JOHN)
        assert (john.purchases, john.revenue) == (1, {"USD": "1020"})

    in_any_order(hooks, check)


def test_an_order_that_is_moved_to_another_customer_makes_them_not_one() -> None:
    moved = order(customer={"id": 7, "email": "else@biller.example"}, email="else@biller.example")

    def check(world: World) -> None:
        john, other = Known(world, *JOHN), Known(world, JOHN[0], "7")
        assert len(john.customers) == 2
        assert john.part["identifiers"] != other.part["identifiers"]

    in_any_order([sent("orders/create", order()), sent("orders/updated", moved)], check)


def test_an_order_of_hundreds_of_lines_counts_without_its_original() -> None:
    (line,) = order()["line_items"][:1]
    (event,) = events(sent("orders/create", order(line_items=[line] * 900)))
    assert (event.properties["total"], len(event.properties["products"])) == ("398", 900)
    assert list(event.context["original"]) == ["left_out"]


@pytest.mark.parametrize("topic", ["orders/create", "orders/paid", "orders/cancelled"])
def test_an_order_of_thousands_of_lines_counts_without_them(topic: str) -> None:
    line = {
        "id": 1,
        "product_id": 10**15,
        "variant_id": 10**15,
        "sku": "S" * 40,
        "title": "T" * 120,
        "quantity": 1,
    }
    event, *_ = events(sent(topic, order(line_items=[line] * 5_000)))
    assert (event.name, event.properties["total"]) == ("Order Completed", "398")
    assert "products" not in event.properties
    assert event.properties["products_left_out"] == 5_000


def test_a_guests_order_is_his_emails() -> None:
    guest = order(customer=None, email="Guest@Example.org", phone="+14155550123")
    refunded = sent("refunds/create", refund(1, "398.00"))

    def check(world: World) -> None:
        known = Known(world, "email", "guest@example.org")
        assert (known.stage, known.purchases, len(known.customers)) == ("prospect", 0, 1)

    in_any_order([sent("orders/create", guest), refunded], check)


def test_a_refund_is_the_money_that_went_back() -> None:
    failed, waiting = refund(), refund()
    failed["transactions"][0]["status"], waiting["transactions"][0]["status"] = "failure", "pending"
    two = refund()
    two["transactions"].append({**two["transactions"][0], "amount": "0.50"})
    totals = [
        [e.properties.get("total") for e in events(sent("refunds/create", r))] for r in (failed, waiting, two)
    ]
    assert totals == [[None], ["199"], ["199.5"]]
    (restocked,) = events(sent("refunds/create", refund(transactions=[])))
    assert restocked.name == "Refund Noted"
    assert restocked.identifiers == {f"shop_order/{SHOP}": [ORDER]}


def test_amounts_are_of_the_currency_in_which_shopify_states_refunds() -> None:
    prices = {
        "shop_money": {"amount": "398.00", "currency_code": "USD"},
        "presentment_money": {"amount": "371.20", "currency_code": "EUR"},
    }
    back = refund(1, "371.20")
    back["transactions"][0]["currency"] = "EUR"
    hooks = [sent("orders/create", order(total_price_set=prices)), sent("refunds/create", back)]
    (event,) = events(hooks[0])
    assert "subtotal" not in event.properties

    def check(world: World) -> None:
        john = Known(world, *JOHN)
        assert (john.purchases, john.revenue, john.refunded) == (0, {}, {"EUR": "371.2"})

    in_any_order(hooks, check)


def test_customers() -> None:
    (created,) = events(sent("customers/create", payload("shopify", "customer")))
    assert (created.name, created.type) == ("Signed Up", "track")
    assert created.identifiers == {
        f"shop_customer/{SHOP}": ["706405506930370084"], "phone": ["+16135550142"], "email": ["bob@biller.example"],
    }  # fmt: skip
    (guest,) = events(sent("customers/create", payload("shopify", "customer", state="disabled")))
    assert (guest.name, guest.type) == ("Identified", "identify")
    (changed,) = events(sent("customers/update", payload("shopify", "customer", first_name="Rob")))
    assert (changed.name, changed.traits["firstName"]) == ("Identified", "Rob")
    (enabled,) = events(sent("customers/enable", payload("shopify", "customer")))
    assert (enabled.name, enabled.message_id) == ("Signed Up", created.message_id)


def test_checkouts() -> None:
    (started,) = events(sent("checkouts/create", payload("shopify", "checkout")))
    assert (started.name, started.properties["total"]) == ("Checkout Started", "409.94")
    (changed,) = events(sent("checkouts/update", payload("shopify", "checkout")))
    assert changed.name == "Checkout Updated"
    assert changed.identifiers == {"email": ["example@biller.example"]}


def test_any_other_topic_is_a_generic_event() -> None:
    (event,) = events(sent("orders/fulfilled", order()))
    assert (event.name, event.properties) == (
        "Order Fulfilled",
        {"topic": "orders/fulfilled", "order_id": ORDER},
    )
    assert set(event.identifiers) == {f"shop_customer/{SHOP}", "email", f"shop_order/{SHOP}"}
    shipped = {"id": 1, "order_id": int(ORDER), "status": "in_transit"}
    (event,) = events(sent("fulfillment_events/create", shipped))
    assert (event.name, event.identifiers) == ("Fulfillment Event Created", {f"shop_order/{SHOP}": [ORDER]})
    (event,) = events(sent("customers/delete", {"id": 7}))
    assert (event.name, event.identifiers) == ("Customer Deleted", {f"shop_customer/{SHOP}": ["7"]})
    (event,) = events(sent("something/new", {"email": "a@b.example"}))
    assert (event.name, event.context["original"]) == ("Something New", {"email": "a@b.example"})


def test_no_other_topic_becomes_an_event_with_a_meaning() -> None:
    for topic in ("orders/refunded", "orders/completed", "signed/up", "", "/"):
        (event,) = events(sent(topic, order()))
        assert event.name.startswith("Shopify")


def test_the_same_webhook_again_is_the_same_events() -> None:
    whole = order(refunds=[refund()], cancelled_at="2026-09-22T00:00:00Z")
    for topic in (
        "orders/updated",
        "refunds/create",
        "customers/update",
        "checkouts/update",
        "app/uninstalled",
    ):
        one, again = post(topic, whole).messages, post(topic, whole).messages
        assert [m["messageId"] for m in one] == [m["messageId"] for m in again]
        assert all(0 < len(m["messageId"]) <= 100 for m in one)
    other = post("app/uninstalled", whole, Event_Id="another").messages
    assert other[0]["messageId"] != again[0]["messageId"]


def test_an_order_of_no_readable_amount_is_rejected_and_not_counted() -> None:
    anything: tuple[Any, ...] = (None, "n/a", [])
    for broken in anything:
        messages = sent("orders/create", order(total_price_set=None, total_price=broken))
        accepted = accept(messages, ANY, Arrival(NOW, "request"))
        assert [refused.rejection.reason for refused in accepted.refused] == ["bad_amount"]


@pytest.mark.parametrize(
    "topic", ["orders/updated", "refunds/create", "customers/update", "checkouts/update", "x/y"]
)
def test_whatever_is_in_it_it_is_taken_or_refused(topic: str) -> None:
    whole = order(
        refunds=[refund()], customer=payload("shopify", "customer"), **payload("shopify", "checkout")
    )
    for body in mutated(whole, 150):
        try:
            messages = post(topic, body).messages
        except Refusal:
            continue
        accept(messages, ANY, Arrival(NOW, "request"))


def test_a_customer_of_many_orders_stays_one_and_every_refund_finds_him() -> None:
    """More than the limits by which identifiers are crowded, and less than the cap of identifiers."""
    hooks = []
    for number in range(1, 151):
        one = order(id=number, total_price="10.00", total_price_set=None)
        hooks += [sent("orders/create", one), sent("refunds/create", refund(number, "1.00", order_id=number))]
    log: list[Said] = [record for messages in hooks for record in said(copy.deepcopy(messages))]
    john = Known(folded([log]), *JOHN)
    assert (len(john.customers), john.purchases, john.revenue) == (1, 150, {"USD": "1350"})


def test_beyond_the_orders_that_are_remembered_nothing_else_is_lost() -> None:
    """A refund that names just its order finds the customer of the first 200; one that an order lists finds all."""
    last = MAX_COUNTLESS + 30
    bought = [
        sent("orders/create", order(id=n, total_price="1.00", total_price_set=None))
        for n in range(1, last + 1)
    ]
    back = refund(7, "0.25", order_id=last)
    changed = order(
        id=last, total_price="1.00", total_price_set=None, email="new@biller.example", refunds=[back]
    )
    log = [[record for messages in bought for record in said(messages)]]
    log += [said(sent("refunds/create", back)), said(sent("orders/updated", changed))]
    world = folded(log)
    john = Known(world, "email", "new@biller.example")
    assert (john.purchases, john.revenue, john.stage) == (last, {"USD": f"{last - 1}.75"}, "mature")
    assert not [change for change in world.changes if change.body.get("change") == "conflict"]
