"""The whole platform as its three kinds of user meet it: an SDK in front, a subscriber and an analyst behind."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
from kafka import KafkaConsumer
from segment.analytics.client import Client

from deploy.demo.shop import is_ready, url
from deploy.init import joined
from projections.connect import connect
from projections.migrate import migrate
from schemas.settings import Settings
from schemas.topics import LIFECYCLE_CHANGES
from tests.deploy.test_cli import cdp
from tests.processes import Process, environment, running
from tests.waiting import until

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/lifecycle-change.v1.json").read_text())
WAY = [
    (None, "prospect"),
    ("prospect", "responder"),
    ("responder", "new"),
    ("new", "mature"),
    ("mature", "new"),
]


class Subscriber:
    """A downstream service: a consumer group of its own on the lifecycle topic, committed records only."""

    def __init__(self, settings: Settings) -> None:
        self.records: list[Any] = []
        self.consumer = KafkaConsumer(
            LIFECYCLE_CHANGES.name(settings.namespace),
            bootstrap_servers=settings.kafka,
            group_id=f"{settings.namespace}-crm",
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )

    def changes(self, user: str) -> list[dict[str, Any]]:
        """One customer's changes so far, in the order of their arrival."""
        for records in self.consumer.poll(timeout_ms=100).values():
            self.records += records
        found = [json.loads(record.value) for record in self.records]
        return [change for change in found if change["identifiers"].get("user_id") == [user]]


@contextmanager
def subscribed(settings: Settings) -> Iterator[Subscriber]:
    subscriber = Subscriber(settings)
    try:
        yield subscriber
    finally:
        subscriber.consumer.close()


@contextmanager
def sdk(settings: Settings, write_key: str) -> Iterator[Client]:
    """segment-analytics-python as its users have it; whatever it could not deliver fails the test."""
    failed: list[Exception] = []
    client = Client(write_key, host=url(settings), gzip=True, on_error=lambda error, _: failed.append(error))
    try:
        yield client
    finally:
        client.shutdown()
    assert failed == []


def ask(settings: Settings, sql: str, **parameters: str) -> list[tuple[Any, ...]]:
    with connect(settings) as client:
        return cast("list[tuple[Any, ...]]", client.execute(sql, parameters))


@pytest.fixture
def live(platform: Settings) -> Iterator[Settings]:
    """The platform, running."""
    migrate(platform)
    with running(*(Process(name, platform) for name in ("sink", "worker", "ingest"))):
        until(lambda: is_ready(platform), "ingest takes events")
        yield platform


def say_all_that_an_sdk_can(client: Client) -> None:
    """Ada visits, registers, buys twice and takes an order back."""
    client.page("ada", "Shop", "Home", {"path": "/"})
    client.identify("ada", {"email": "Ada@Example.com", "plan": "gold"})
    client.group("ada", "book-club", {"name": "Book club"})
    client.screen("ada", "App", "Start")
    client.alias("5e1f7d2c-3b1a-4c56-9c0e-0a7d53b4a111", "ada")
    client.track("ada", "Signed Up")
    client.track(
        "ada", "Order Completed", {"order_id": "1", "total": 49.9, "products": [{"sku": "a", "price": 49.9}]}
    )
    client.track("ada", "Order Completed", {"order_id": "2", "total": "20.05"})
    client.flush()


def test_an_interaction_becomes_a_profile_a_change_and_a_row(live: Settings) -> None:
    with subscribed(live) as crm:
        with sdk(live, "local-web-write-key") as client:
            say_all_that_an_sdk_can(client)
            until(lambda: len(crm.changes("ada")) == 4, "Ada is mature")
            client.track("ada", "Order Refunded", {"order_id": "2"})
            client.track("ada", "Order Completed", {"order_id": "3", "total": "twelve"})
        until(lambda: len(crm.changes("ada")) == 5, "the refund takes her back")
        _the_subscriber_sees_each_change_once(live, crm)
    _the_analyst_sees_her(live)
    _the_operator_sees_her(live)


def _the_subscriber_sees_each_change_once(settings: Settings, crm: Subscriber) -> None:
    changes = crm.changes("ada")
    assert [(change["from"], change["to"]) for change in changes] == WAY
    assert [change["sequence"] for change in changes] == [1, 2, 3, 4, 5]
    assert len({change["id"] for change in changes}) == len(changes)
    assert len({change["customer_id"] for change in changes}) == 1
    for record, change in zip(crm.records, changes, strict=True):
        jsonschema.validate(change, SCHEMA)
        headers = {name: value.decode() for name, value in record.headers}
        assert record.key.decode() == headers["ce_subject"] == change["customer_id"]
        assert headers["ce_id"] == change["id"]
        assert headers["ce_source"] == f"/cdp/{joined(settings).deployment}"
        assert headers["ce_type"] == "cdp.lifecycle.changed.v1"
        assert (headers["ce_specversion"], headers["content-type"]) == ("1.0", "application/json")
        assert headers["ce_time"].endswith("Z")
        assert "ada@example.com" not in record.value.decode().lower()


def _the_analyst_sees_her(settings: Settings) -> None:
    columns = "stage, purchases, revenue, events, identifiers"
    profile = f"SELECT {columns} FROM profiles WHERE has(identifiers['user_id'], 'ada')"
    until(lambda: [row[0] for row in ask(settings, profile)] == ["new"], "the profile shows it")
    ((_, purchases, revenue, events, identifiers),) = ask(settings, profile)
    assert (purchases, revenue, events) == (1, Decimal("49.9"), 9)
    assert identifiers["email"] == ["ada@example.com"]

    kinds = "SELECT type, count() FROM events GROUP BY type"
    expected = {"page": 1, "identify": 1, "group": 1, "screen": 1, "alias": 1, "track": 4}
    until(lambda: dict(ask(settings, kinds)) == expected, "every call is a row")
    changes = "SELECT from_stage, to_stage FROM lifecycle_changes ORDER BY customer_id, sequence"
    until(lambda: len(ask(settings, changes)) >= len(WAY), "every change is a row")
    assert ask(settings, changes) == WAY
    periods = "SELECT stage FROM lifecycle_periods WHERE valid_to IS NULL"
    assert ask(settings, periods) == [("new",)]
    rejected = "SELECT source, reason, JSONExtractString(original, 'userId') FROM rejected"
    until(lambda: ask(settings, rejected), "the bad event is among the rejected")
    assert ask(settings, rejected) == [("web", "bad_amount", "ada")]


def _the_operator_sees_her(settings: Settings) -> None:
    shown = cdp("profile", "show", "user_id:ada", env=environment(settings))
    assert shown.returncode == 0, shown.stderr
    for word in ("ada@example.com", "prospect", "responder", "mature", "new", "49.9"):
        assert word in shown.stdout
    nobody = cdp("profile", "show", "user_id:nobody", env=environment(settings))
    assert nobody.returncode == 1
    assert nobody.stderr.startswith("error: nobody is known as user_id:nobody\n")
    assert "the view bot_events" in nobody.stderr
