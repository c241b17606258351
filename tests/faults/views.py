"""What an analyst and a downstream service see in the end, in the oracle's words."""

from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from clickhouse_driver import Client

from projections.connect import connect
from schemas.settings import Settings
from schemas.topics import LIFECYCLE_CHANGES, REJECTED
from tests import oracle
from tests.faults.oracle import Body, Step, Who
from tests.integration.log import read

NAMESPACES = ("user_id", "anonymous_id")


def ms(column: str) -> str:
    """A time as Unix ms."""
    return f"toUnixTimestamp64Milli({column})"


def events(client: Client) -> list[tuple[str, str, str, int, str]]:
    """(source, message_id, name, occurred_at, customer_id) of every row of the events view."""
    found: list[tuple[str, str, str, int, str]] = client.execute(
        f"SELECT source, message_id, name, {ms('occurred_at')}, toString(customer_id) FROM events"
    )
    return found


PROFILE = (
    "events", "first", "last", "own_first", "own_last", "names", "channels", "sources", "purchases", "revenue",
    "refunded",
)  # fmt: skip


def profiles(client: Client) -> dict[Who, dict[str, Any]]:
    """Facts as the oracle names them, and `customer_id`, `stage`, `since` and `sequence`."""
    rows = client.execute(
        f"""SELECT identifiers, toString(customer_id), stage, {ms("stage_since")}, sequence, events,
        {ms("first_seen")}, {ms("last_seen")}, {ms("first_own")}, {ms("last_own")}, event_counts, channels, sources,
        purchases, revenue_by_currency, refunded_by_currency FROM profiles"""
    )
    found = {}
    for identifiers, customer, stage, since, sequence, *facts in rows:
        ((who, values),) = [(n, identifiers[n]) for n in NAMESPACES if n in identifiers]
        assert (who, values[0]) not in found, "two profiles of one customer"
        told = {"customer_id": customer, "stage": stage, "since": since, "sequence": sequence}
        found[who, values[0]] = told | dict(zip(PROFILE, facts, strict=True))
    return found


def orders(client: Client) -> dict[tuple[str, str], tuple[Any, ...]]:
    """(source, order_id) -> (customer_id, amount, refunded, cancelled, is_purchase)."""
    rows = client.execute(
        "SELECT source, order_id, toString(customer_id), amount, refunded, cancelled, is_purchase, net FROM orders"
    )
    assert all(net == (0 if row[3] else row[1] - row[2]) for *_, net in rows for row in [_[2:]])
    found = {tuple(row[:2]): tuple(row[2:7]) for row in rows}
    assert len(found) == len(rows), "an order has two rows"
    return found


def expected_orders(mine: list[Body], customer: str) -> dict[tuple[str, str], tuple[Any, ...]]:
    """What the orders view must say of one customer's."""
    return {
        key: (
            customer,
            order["amount"],
            order["back"],
            order["cancelled"],
            not order["cancelled"] and (order["back"] < order["amount"] or not order["refunds"]),
        )
        for key, order in oracle._orders(mine).items()
        if order["amount"] is not None
    }


def topic_ways(settings: Settings) -> dict[str, list[Step]]:
    """Each customer's published way, as a read_committed subscriber hears it: every id once, 1, 2, 3 ... in order."""
    records = read(settings, LIFECYCLE_CHANGES)
    ids = Counter(dict(record.headers)["ce_id"].decode() for record in records)
    assert not [id_ for id_, count in ids.items() if count > 1], "a change was published twice"
    ways: dict[str, list[Step]] = defaultdict(list)
    for record in records:
        body = orjson.loads(record.value)
        assert record.key.decode() == body["customer_id"] == dict(record.headers)["ce_subject"].decode()
        way = ways[body["customer_id"]]
        assert body["sequence"] == len(way) + 1
        way.append(Step(body["from"], body["to"], body["effective_at"], body["caused_at"], body["cause"]))
    return dict(ways)


def view_ways(client: Client) -> dict[str, list[Step]]:
    """The same from the view."""
    ways: dict[str, list[Step]] = defaultdict(list)
    rows = client.execute(
        f"""SELECT toString(customer_id), sequence, from_stage, to_stage, {ms("effective_at")}, {ms("caused_at")}, cause
        FROM lifecycle_changes ORDER BY customer_id, sequence"""
    )
    for customer, sequence, *step in rows:
        assert sequence == len(ways[customer]) + 1
        ways[customer].append(Step(*step))
    return dict(ways)


def bad_periods(client: Client) -> int:
    """How many periods end before they begin, or have a successor that does not begin where they end."""
    ((count,),) = client.execute(
        """SELECT count() FROM lifecycle_periods AS a LEFT JOIN lifecycle_periods AS b
        ON a.customer_id = b.customer_id AND b.sequence = a.sequence + 1
        WHERE a.valid_to < a.valid_from OR a.valid_to IS DISTINCT FROM if(b.sequence = 0, NULL, b.valid_from)"""
    )
    return int(count)


def rejections(settings: Settings) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    """Topic: how often (message_id, reason) was rejected at ingest, and each place of the log by the worker."""
    by_message, by_place = Counter[tuple[str, str]](), Counter[str]()
    for record in read(settings, REJECTED):
        said = {name: value.decode() for name, value in record.headers}
        if said["where"] == "ingest":
            by_message[said["message_id"], said["reason"]] += 1
        else:
            by_place[said["where"]] += 1
    with connect(settings) as client:
        rows = client.execute(
            "SELECT message_id, reason, place, startsWith(place, kafka_topic) FROM rejected"
        )
    assert Counter((m, r) for m, r, _, at_ingest in rows if at_ingest) == by_message
    assert Counter(place for _, _, place, at_ingest in rows if not at_ingest) == by_place
    return by_message, by_place


def amounts(by_currency: dict[str, Decimal]) -> dict[str, Decimal]:
    return {currency: amount for currency, amount in by_currency.items() if amount}


def instant(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
