"""The demo on the real stack, with a part of its orders: run twice, and killed and started again.

What must come of it is computed here from the file's own lines, without anything of the platform.
"""

import gzip
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import psutil
import pytest
from clickhouse_driver import Client
from kafka import KafkaConsumer

from deploy.demo.orders import read
from deploy.demo.story import known_as
from schemas.portrait import Thresholds
from tests.deploy.test_cli import cdp
from tests.deploy.test_up_down import Stack
from tests.e2e.portraits import as_shown, must_be, world_of
from tests.waiting import until

ROOT = Path(__file__).parents[2]
ZONE = "Europe/Berlin"
CUSTOMERS, DAYS = "01200", 200
PART = f"[o for o in orders.read() if o.customer < '{CUSTOMERS}' and o.day < datetime.date(1997, 1, 1) + {DAYS} * DAY]"
SCRIPT = f"""
import datetime, os, signal, sys
from deploy.config import load_settings
from deploy.demo import orders, play, shop
from schemas.errors import CdpError
DAY = datetime.timedelta(1)
post, sent = shop.Shop.post, []
def posting(self, messages):
    sent.extend(messages)
    post(self, messages)
    if {{stop}} and len(sent) > {{stop}}:
        os.kill(os.getpid(), signal.SIGSTOP)
shop.Shop.post = posting
try:
    play.run(load_settings(create_secret=True), keep_dates={{keep}}, orders={PART})
except CdpError as error:
    sys.exit(str(error))
"""
VIEWS = (
    "profiles", "identities", "identity_links", "identity_changes", "events", "orders",
    "lifecycle_changes", "lifecycle_periods", "segment_changes", "segment_counts", "label_periods", "portraits",
    "stage_by_tier", "rejected",
)  # fmt: skip
MS = timedelta(milliseconds=1)


class Line(NamedTuple):
    day: date
    number: int
    customer: str
    total: Decimal


def lines() -> list[Line]:
    """The part of the file that the tests post."""
    text = gzip.decompress((ROOT / "deploy/demo/cdnow.txt.gz").read_bytes()).decode()
    cells = [line.split() for line in text.splitlines()]
    found = [Line(date.fromisoformat(day), number, customer, Decimal(total))
             for number, (customer, day, _, total) in enumerate(cells[1:], 2)]  # fmt: skip
    last = date(1997, 1, 1) + timedelta(DAYS)
    return sorted(line for line in found if line.customer < CUSTOMERS and line.day < last)


def instant(day: date, at: time) -> datetime:
    return datetime.combine(day, at, ZoneInfo(ZONE))


def ways(orders: list[Line], moved: timedelta, today: date) -> set[tuple[Any, ...]]:
    """Every change that there must be: (user_id, sequence, from, to, effective_at, cause)."""
    found = set[tuple[Any, ...]]()
    for customer in {order.customer for order in orders} - story(orders).keys():
        mine = [order for order in orders if order.customer == customer]
        stage, last, sequence = None, None, 0
        steps: list[tuple[datetime, str, str]] = []
        for order in [*mine, None]:
            day = order.day + moved if order else today + timedelta(1)
            for name, days in (("silent", 90), ("churned", 365)):
                if last is not None and last + timedelta(days) < day + timedelta(bool(order)):
                    steps.append((instant(last + timedelta(days), time.min), name, "time"))
            if order:
                to = "new" if order is mine[0] else "mature"
                steps.append((instant(day, time(12)), to, f"shop/cdnow-{order.number:05}"))
                last = day
        for at, to, cause in steps:
            if to != stage:
                sequence += 1
                found.add((customer, sequence, stage, to, at.astimezone(ZoneInfo("UTC")), cause))
                stage = to
    return found


def story(orders: list[Line]) -> dict[str, list[Line]]:
    """The orders of those whom the shop knows three times until their last order."""
    found = {
        o.customer: [p for p in orders if p.customer == o.customer]
        for o in orders
        if int(o.customer) % 20 == 0
    }
    return {customer: mine for customer, mine in found.items() if len(mine) >= 4}


class Demo(Stack):
    """A home, ports and processes of a test's own, and the demo in it."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.env |= {"CDP_TIMEZONE": ZONE, "CDP_PARTITIONS": "4", "COLUMNS": "120"}

    def start(self, *, keep: bool = False, stop: int = 0) -> "subprocess.Popen[str]":
        """The demo; one that halts itself once it has posted more than `stop` orders."""
        argv = [sys.executable, "-c", SCRIPT.format(keep=keep, stop=stop)]
        return subprocess.Popen(
            argv, cwd=ROOT, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def play(self, *, keep: bool = False) -> str:
        """A whole run; what it said."""
        process = self.start(keep=keep)
        said = process.communicate(timeout=180)[0]
        assert process.returncode == 0, said
        return said

    def ask(self, sql: str) -> list[Any]:
        port = int(self.env["CDP_CLICKHOUSE_PORT"])
        with Client("127.0.0.1", port, user="cdp", password="cdp", database="cdp") as client:
            return list(client.execute(sql))

    def hashes(self) -> dict[str, Any]:
        """Every row of every view, its place in the log and its revision too."""
        sql = "SELECT count(), groupBitXor(cityHash64(tuple(*))) FROM "
        return {view: self.ask(sql + view) for view in VIEWS}

    def thresholds(self) -> Thresholds:
        """Those in force."""
        consumer = KafkaConsumer(
            "cdp.definitions.v1",
            bootstrap_servers=f"127.0.0.1:{self.kafka}",
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            consumer_timeout_ms=3_000,
        )
        try:
            records = [record.value for record in consumer if record.key.startswith(b"thresholds/")]
        finally:
            consumer.close()
        return Thresholds.model_validate_json(records[-1])


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    made = Demo(tmp_path / "home")
    yield made
    cdp("down", env=made.env)
    assert made.processes() == []


def check(demo: Demo, orders: list[Line], moved: timedelta) -> None:
    """The views hold what the file says, and every change at its own time."""
    today = datetime.now(ZoneInfo(ZONE)).date()
    changes = demo.ask(
        "SELECT identifiers['user_id'][1], sequence, from_stage, to_stage, effective_at, cause FROM lifecycle_changes"
    )
    split = story(orders)
    assert len(split) > 1
    known = {change for change in changes if change[0] and change[0] not in split}
    assert known == ways(orders, moved, today)
    assert len(changes) == len(set(changes))
    check_story(demo, split)
    total = sum((order.total for order in orders), Decimal(0))
    assert demo.ask("SELECT count(), sum(net) FROM orders") == [(len(orders), total)]
    customers = len({order.customer for order in orders})
    sums = "SELECT count(), sum(purchases), sum(revenue) FROM profiles"
    assert demo.ask(sums) == [(customers, len(orders), total)]
    assert demo.ask("SELECT count() FROM rejected") == [(0,)]
    check_labels(demo, moved)


def check_labels(demo: Demo, moved: timedelta) -> None:
    """Everybody is what the oracle says, and what was published leads there."""
    last = date(1997, 1, 1) + timedelta(DAYS)
    part = [order for order in read() if order.day < last and order.customer < CUSTOMERS]
    wanted = must_be(part, known_as(part), moved, world_of(ZONE, demo.thresholds()))
    assert {"platinum", "gold", "silver", "bronze"} == {
        labels["value/customer"] for labels in wanted.values()
    }
    rows = demo.ask("SELECT identifiers['user_id'][1], tags, segments, roles, tier FROM profiles")
    assert {user: as_shown(*row) for user, *row in rows} == wanted
    held = demo.ask("SELECT kind, name, value, count() FROM portraits GROUP BY kind, name, value")
    counted = demo.ask(
        "SELECT kind, name, value, argMax(members, day) AS now FROM segment_counts GROUP BY kind, name, value "
        "HAVING now > 0"
    )
    assert sorted(counted) == sorted(held)
    lasting = demo.ask(
        "SELECT kind, name, value, count() FROM label_periods WHERE valid_to IS NULL GROUP BY kind, name, value"
    )
    assert sorted(lasting) == sorted(held)


def check_story(demo: Demo, split: dict[str, list[Line]]) -> None:
    """Who ordered from an account, by phone and with a card is one customer, with all of that history."""
    rows = demo.ask(
        "SELECT identifiers['user_id'][1], mapKeys(identifiers), purchases, revenue, stage FROM profiles "
        "WHERE has(mapKeys(identifiers), 'phone')"
    )
    found = {user: (set(kinds), purchases, revenue, stage) for user, kinds, purchases, revenue, stage in rows}
    assert found.keys() == split.keys()
    for user, (kinds, purchases, revenue, stage) in found.items():
        assert kinds == {"user_id", "phone", "membership_card"}
        assert (purchases, revenue) == (len(split[user]), sum(order.total for order in split[user]))
        assert stage in ("mature", "silent", "churned")


def test_the_demo_brings_everything_up_and_running_it_again_changes_nothing(demo: Demo) -> None:
    orders = lines()
    said = demo.play()
    yesterday = datetime.now(ZoneInfo(ZONE)).date() - timedelta(1)
    total = sum((order.total for order in orders), Decimal(0))
    assert f"Equal to the cent: the views hold the file's {total:,.2f} USD in {len(orders):,} orders" in said
    assert f"to {yesterday}" in said
    assert re.search(r"[\d,]+ events/s end to end", said)
    for word in (
        "Customers by present stage",
        "Stage transitions by month",
        "largest",
        "Who customers are",
        "portrait",
        "Try next",
    ):
        assert word in said
    check(demo, orders, yesterday - orders[-1].day)

    before, remembered = demo.hashes(), demo.home / "demo.json"
    remembered.unlink()
    demo.play()
    assert demo.hashes() == before
    assert remembered.exists()

    refused = demo.start(keep=True)
    assert "moved by" in refused.communicate(timeout=60)[0]
    assert refused.returncode == 1


def test_a_demo_that_is_killed_and_started_again_ends_the_same(demo: Demo) -> None:
    orders = lines()
    for number, share in ((signal.SIGKILL, 0.1), (signal.SIGKILL, 0.5), (signal.SIGINT, 0.8)):
        said = _killed(demo, number, int(share * len(orders)))
        until(lambda: _is_up(demo), "the stack is up", 120)
    assert "interrupted | the clock is held: `cdp demo` goes on" in said
    assert "Equal to the cent" in demo.play(keep=True)
    check(demo, orders, timedelta(0))


def _killed(demo: Demo, number: int, posted: int) -> str:
    """What a demo said that was killed while it posted, after so many orders."""
    process = demo.start(keep=True, stop=posted)
    until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED, "it posts", 120)
    process.send_signal(number)
    process.send_signal(signal.SIGCONT)
    said = process.communicate(timeout=120)[0]
    assert process.returncode != 0, said
    return said


def _is_up(demo: Demo) -> bool:
    return demo.file.read().phase == "ready"
