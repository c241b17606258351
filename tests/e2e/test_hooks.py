"""What other systems post, as large as it may be and taken back in parts, on its way to a customer and an analyst."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from deploy.demo.shop import is_ready
from deploy.init import init
from projections.migrate import migrate
from schemas.settings import Settings
from tests.conftest import database_at, settings_for
from tests.e2e import test_platform
from tests.ingest.adapters import test_stripe
from tests.ingest.adapters.senders import SENDERS, Request, add_sources, ask
from tests.ingest.adapters.shops import payload
from tests.ingest.hooks import post
from tests.ingest.servers import Client
from tests.processes import Process, running
from tests.servers import Address, Server
from tests.waiting import until

PAGE = Path(__file__).parents[2] / "docs" / "adapters.md"
SHOPS = ("shopify", "woocommerce", "stripe")
NOW = datetime.now(UTC)
Story = tuple[str, str, str, list[Request]]


@pytest.fixture(scope="module")
def live(
    kafka: str, clickhouse: Server | Address, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A platform, running, with these senders."""
    home = tmp_path_factory.mktemp("hooks")
    settings = settings_for(home, kafka=kafka, secrets=home / "secrets", **database_at(clickhouse))
    init(settings)
    migrate(settings)
    add_sources(settings, "signed", "meta", *SHOPS)
    with running(*(Process(name, settings) for name in ("sink", "worker", "ingest"))):
        until(lambda: is_ready(settings), "ingest takes events")
        yield settings


def test_the_largest_event_reaches_its_customer_and_is_kept_as_it_was_sent(live: Settings) -> None:
    link = {"type": "identify", "userId": "ada", "messageId": "m0", "traits": {"email": "ada@example.com"}}
    large: dict[str, Any] = {"event": "Story Told", "messageId": "m1", "traits": {"email": "ada@example.com"}}
    large["properties"] = {"text": "é" * 100_000}
    large["rest"] = "x" * (256 * 1024 - len(orjson.dumps(large | {"rest": ""})))
    client = Client(live)
    assert post(client, link, "signed").status == 200
    of_her = "SELECT events, identifiers['email'] FROM profiles WHERE has(identifiers['user_id'], 'ada')"
    until(lambda: test_platform.ask(live, of_her), "Ada is known")
    assert post(client, large, "signed").status == 200
    asked = "SELECT context FROM events WHERE message_id = 'm1'"
    until(lambda: test_platform.ask(live, asked), "the event is with the analysts")
    ((context,),) = test_platform.ask(live, asked)
    assert orjson.loads(context)["original"] == large
    hers = [(2, ["ada@example.com"])]
    until(lambda: test_platform.ask(live, of_her) == hers, "it is hers, by way of her e-mail address")


def test_what_is_told_of_an_account_of_ours_is_nobodys(live: Settings) -> None:
    """Its profile is told from people's as the page says."""
    (people,) = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
    insights = payload("meta", "instagram_story_insights")
    ((before,),) = test_platform.ask(live, people)
    assert ask(Client(live), "meta", SENDERS["meta"].sign(orjson.dumps(insights), True)).status == 200
    mine = "SELECT identifiers FROM profiles WHERE mapContains(identifiers, 'brand_account/instagram')"
    account = {"brand_account/instagram": ["17841405309211844"]}
    until(lambda: test_platform.ask(live, mine) == [(account,)], "the account's events are kept")
    assert test_platform.ask(live, people) == [(before,)]
    told = (
        "SELECT identifiers FROM lifecycle_changes WHERE mapContains(identifiers, 'brand_account/instagram')"
    )
    until(lambda: test_platform.ask(live, told) == [(account,)], "subscribers can tell")


@pytest.mark.parametrize("shop", SHOPS)
def test_an_order_taken_back_in_two_parts_takes_its_customer_back(live: Settings, shop: str) -> None:
    """Revenue is exact at every step, by refunds that name just the order too, and the stage is the one before."""
    customer, before, total, hooks = STORIES[shop]()
    client, half = Client(live), Decimal("10.01")
    whole = Decimal(total)
    wanted = (
        (before, 0, Decimal(0), Decimal(0)),
        ("new", 1, whole, Decimal(0)),
        ("new", 1, whole - half, half),
        (before, 0, Decimal(0), whole),
    )
    for hook, state in zip(hooks, wanted, strict=True):
        answer = ask(client, shop, hook)
        assert answer.status == 200, answer
        _until_it_is(live, customer, state)
    _analysts_see_it(live, shop, customer, before, whole)


def _until_it_is(settings: Settings, customer: str, state: tuple[Any, ...]) -> None:
    sql = f"SELECT stage, purchases, revenue, refunded FROM profiles WHERE {OF_HIM}"
    until(lambda: test_platform.ask(settings, sql, customer=customer) == [state], f"it is {state}")


def _analysts_see_it(settings: Settings, shop: str, customer: str, before: str, whole: Decimal) -> None:
    ((id_,),) = test_platform.ask(
        settings, f"SELECT toString(customer_id) FROM profiles WHERE {OF_HIM}", customer=customer
    )
    orders = "SELECT amount, refunded, net, currency, is_purchase FROM orders WHERE source = %(source)s"
    assert test_platform.ask(settings, orders, source=shop) == [(whole, whole, 0, "USD", False)]
    changes = """SELECT from_stage, to_stage FROM lifecycle_changes
        WHERE toString(current_customer_id) = %(customer)s ORDER BY sequence"""
    way = [(None, before), (before, "new"), ("new", before)]
    until(lambda: test_platform.ask(settings, changes, customer=id_) == way, "every change is a row")


OF_HIM = "arrayExists(ids -> has(ids, %(customer)s), mapValues(identifiers))"


def _shopify() -> Story:
    at, customer = NOW.isoformat(), "115310627314723954"
    about = payload("shopify", "customer", id=int(customer), created_at=at)
    order = payload("shopify", "order", processed_at=at, created_at=at)
    sent = [("customers/create", about), ("orders/paid", order)]
    for number, amount in ((1, "10.01"), (2, "387.99")):
        refund = payload("shopify", "refund", id=number, processed_at=at)
        refund["transactions"][0]["amount"] = amount
        sent.append(("refunds/create", refund))
    return customer, "responder", "398", [_told("shopify", "X-Shopify-Topic", *each) for each in sent]


def _woocommerce() -> Story:
    at = f"{NOW:%Y-%m-%dT%H:%M:%S}"
    about = payload("woocommerce", "customer", id=26, date_created_gmt=at)
    parts = [{"id": 1, "reason": "", "total": "-10.01"}, {"id": 2, "reason": "", "total": "-19.34"}]
    order = payload("woocommerce", "order", date_created_gmt=at, date_modified_gmt=at)
    sent = [
        ("customer.created", about),
        ("order.created", order),
        ("order.updated", {**order, "refunds": parts[:1]}),
        ("order.updated", {**order, "refunds": parts, "status": "refunded"}),
    ]
    return "26", "responder", "29.35", [_told("woocommerce", "X-WC-Webhook-Topic", *each) for each in sent]


def _stripe() -> Story:
    at = int(NOW.timestamp())
    refunds = [
        payload("stripe", "refund", id=f"re_{minor}", amount=minor, created=at) for minor in (1001, 1197)
    ]
    sent = [
        ("customer.created", payload("stripe", "customer")),
        ("payment_intent.succeeded", payload("stripe", "payment_intent")),
        *(("refund.created", refund) for refund in refunds),
    ]
    bodies = [
        test_stripe.enveloped(kind, found, created=at, id=f"evt_{n}") for n, (kind, found) in enumerate(sent)
    ]
    return "cus_NffrFeUfNV2Hib", "prospect", "21.98", [SENDERS["stripe"].sign(body, True) for body in bodies]


def _told(shop: str, header: str, topic: str, sent: Any) -> Request:
    """A request of this topic, which is in a header that no shop signs."""
    request = SENDERS[shop].sign(orjson.dumps(sent), True)
    return request._replace(headers={**request.headers, header: topic})


STORIES = {"shopify": _shopify, "woocommerce": _woocommerce, "stripe": _stripe}
"""A customer, an order of theirs of so much, and what comes back of it: first 10.01, then the rest."""
