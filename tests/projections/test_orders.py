"""The orders view against schemas.books, on random statements of a customer with two identifiers."""

import random
from decimal import Decimal

from clickhouse_driver import Client

from projections.batch import make
from projections.registry import PROJECTIONS
from projections.store import insert_all
from schemas import books, facts, money
from schemas.changes import customer_id
from tests.projections.log import T0, Rec, cluster, event, part_of

STATE, EVENTS, *_, REJECTED = PROJECTIONS
KEYS = ("user_id:a", "email:b")
BIG = "9" * 23 + "." + "9" * 9


def statement(dice: random.Random) -> Rec:
    properties: dict[str, str] = {
        "order_id": f"o{dice.randrange(6)}",
        "currency": dice.choice(["USD", "USD", "EUR"]),
    }
    name = dice.choice(
        ["Order Completed", "Order Completed", "Order Refunded", "Order Refunded", "Order Cancelled"]
    )
    if name == "Order Cancelled" and dice.random() < 0.6:
        name = "Order Completed"
    if dice.random() < 0.85:
        properties["total"] = dice.choice(["0", "0.000000001", "5", "10", "12.34", BIG])
    if name == "Order Refunded" and dice.random() < 0.7:
        properties["refund_id"] = f"r{dice.randrange(3)}"
    if name == "Order Refunded" and dice.random() < 0.3:
        properties["refunded_total"] = dice.choice(["0", "5", "10", "17", BIG])
    if dice.random() < 0.15:
        del properties["currency"]
    return event(
        dice.choice(KEYS),
        name,
        T0 + dice.randrange(5),
        source=dice.choice(["web", "shop"]),
        message_id=f"m{dice.randrange(10_000)}",
        properties=properties,
    )


def expected(parts: dict[str, facts.Part]) -> dict[tuple[str, str], tuple[object, ...]]:
    found: dict[tuple[str, str], tuple[object, ...]] = {}
    for key, order in facts.union(parts.values())["books"]["orders"].items():
        if order["paid"] is None:
            continue
        amount, back = Decimal(order["paid"][2]), books.refunded(order)
        net = Decimal(0) if order["cancelled"] else money.EXACT.subtract(amount, back)
        source, _, order_id = key.partition("/")
        found[source, order_id] = (
            order["first"], amount, back, net, order["paid"][3], order["cancelled"], books.is_purchase(order),
        )  # fmt: skip
    return found


def test_orders_are_those_of_the_books(client: Client) -> None:
    for seed in range(25):
        dice = random.Random(seed)
        log = [statement(dice)._replace(offset=offset) for offset in range(dice.randrange(1, 40))]
        parts = {key: part_of(r for r in log if r.key == key.encode()) for key in KEYS}
        state = cluster(parts)
        for projection, records in ((EVENTS, log), (STATE, [state])):
            insert_all(client, projection, make(projection, records))
        rows = client.execute(
            "SELECT source, order_id, toUnixTimestamp64Milli(first_seen), amount, refunded, net, currency, cancelled, "
            "is_purchase FROM orders"
        )
        assert {row[:2]: row[2:] for row in rows} == expected(parts), f"seed {seed}"
        owners = client.execute("SELECT DISTINCT toString(customer_id) FROM orders")
        assert {owner for (owner,) in owners} <= {customer_id(KEYS[0])}
        for table in ("events_raw", "profiles_raw", "identities_raw"):
            client.execute(f"TRUNCATE TABLE {table}")


def test_what_the_fold_refused_is_no_order(client: Client) -> None:
    placed = event(name="Order Completed", properties={"order_id": "o1", "total": "5"})
    placed = placed._replace(topic="cdp.events.v1", partition=1, offset=7)
    insert_all(client, EVENTS, make(EVENTS, [placed]))
    assert client.execute("SELECT count() FROM orders") == [(1,)]
    told = [("reason", b"state_full"), ("where", b"cdp.events.v1/1/7")]
    insert_all(client, REJECTED, make(REJECTED, [Rec(placed.value, b"web", told, "cdp.rejected.v1")]))
    assert client.execute("SELECT count() FROM orders") == [(0,)]
