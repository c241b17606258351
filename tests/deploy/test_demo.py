"""The demo's parts: its orders, its dates, its way in and what it is refused."""

import io
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from kafka import KafkaProducer
from rich.console import Console

from deploy.demo import dates, orders, story, who
from deploy.demo.refusals import Refusals
from deploy.demo.shop import open_shop, source
from deploy.demo.stored import Stored
from projections.queries import Answer
from schemas import rejected
from schemas.errors import CdpError, ConfigError
from schemas.genesis import Genesis, found
from schemas.rejected import Reason, Rejection
from schemas.settings import Settings
from schemas.topics import REJECTED

BERLIN = ZoneInfo("Europe/Berlin")


def test_the_file_is_whole() -> None:
    read = orders.read()
    assert len(read) == len({order.id for order in read}) == 69_659
    assert len({order.customer for order in read}) == 23_570
    assert orders.revenue(read) == Decimal("2500315.63")
    assert (read[0].day, read[-1].day) == (date(1997, 1, 1), date(1998, 6, 30))
    assert read == sorted(read, key=lambda order: (order.day, order.line))
    same = Counter((order.customer, order.day, order.discs, order.total) for order in read)
    assert sum(number - 1 for number in same.values()) == 255


def test_an_order_is_at_noon_of_its_day_whatever_the_clocks_do() -> None:
    order = orders.Order(date(1997, 3, 29), 7, "00003", 2, "20.76")
    ((day, (sent,), _),) = orders.days([order], timedelta(1), BERLIN)  # the night in which summer time begins
    assert day == date(1997, 3, 30)
    assert sent["timestamp"] == "1997-03-30T12:00:00+02:00"
    assert "sentAt" not in sent
    assert (sent["messageId"], sent["userId"]) == ("cdnow-00007", "00003")
    assert sent["properties"]["total"] == "20.76"
    assert sent["properties"]["products"][0]["quantity"] == 2


def test_a_day_ends_at_local_midnight() -> None:
    placed = [orders.Order(date(1997, 3, day), day, "1", 1, "1.00") for day in (29, 29, 30)]
    made = list(orders.days(placed, timedelta(0), BERLIN))
    assert [len(day.messages) for day in made] == [2, 1]
    ends = [datetime.fromtimestamp(day.ends_at / 1000, BERLIN).isoformat() for day in made]
    assert ends == ["1997-03-30T00:00:00+01:00", "1997-03-31T00:00:00+02:00"]


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform that holds no order of the demo."""
    monkeypatch.setattr(dates, "wait_until_written", lambda _: None)
    monkeypatch.setattr(dates, "stored", lambda _: Stored(0, 1, Decimal(0), None))


def genesis_of(settings: Settings, deployment: str = "d") -> Genesis:
    return found(settings, deployment, 0)


ORDERS = [
    orders.Order(date(1997, 1, 1), 2, "1", 1, "1.00"),
    orders.Order(date(1998, 6, 30), 3, "1", 1, "1.00"),
]


def test_the_first_days_moved_stand_for_the_deployment(tmp_path: Path, empty: None) -> None:
    settings = Settings(home=tmp_path, timezone="Pacific/Kiritimati")
    yesterday = datetime.now(ZoneInfo("Pacific/Kiritimati")).date() - timedelta(1)
    moved = dates.days_moved(settings, genesis_of(settings), ORDERS, keep=False)
    assert date(1998, 6, 30) + timedelta(moved) in (yesterday, yesterday + timedelta(1))

    path = tmp_path / "demo.json"
    path.write_text(json.dumps({"deployment": "d", "days": moved - 5}))  # as a run of five days ago left it
    assert dates.days_moved(settings, genesis_of(settings), ORDERS, keep=False) == moved - 5
    with pytest.raises(ConfigError, match="stands for ever"):
        dates.days_moved(settings, genesis_of(settings), ORDERS, keep=True)
    assert dates.days_moved(settings, genesis_of(settings, "another"), ORDERS, keep=True) == 0
    assert dates.days_moved(settings, genesis_of(settings, "another"), ORDERS, keep=False) == 0


def test_days_that_the_home_forgot_are_found_in_the_data(
    tmp_path: Path, empty: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = datetime(2025, 5, 25, 12, tzinfo=BERLIN).astimezone(ZoneInfo("UTC"))
    monkeypatch.setattr(dates, "stored", lambda _: Stored(9, 1, Decimal(1), first))
    settings = Settings(home=tmp_path, timezone="Europe/Berlin")
    moved = dates.days_moved(settings, genesis_of(settings), ORDERS, keep=False)
    assert date(1997, 1, 1) + timedelta(moved) == date(2025, 5, 25)


def test_a_broken_memory_is_told(tmp_path: Path, empty: None) -> None:
    (tmp_path / "demo.json").write_text("{")
    settings = Settings(home=tmp_path)
    with pytest.raises(ConfigError) as refused:
        dates.days_moved(settings, genesis_of(settings), ORDERS, keep=False)
    assert refused.value.where == str(tmp_path / "demo.json")


def test_a_sources_file_without_the_shop_is_told(tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text("sources: [{name: shop, write_key: a-key-of-ours, channel: web, enabled: false}]\n")
    with pytest.raises(ConfigError, match="no enabled source 'shop'") as refused:
        source(Settings(sources=path))
    assert refused.value.where == str(path)


Told = tuple[int, dict[str, str], bytes]


class Door(HTTPServer):
    """An ingest that answers what it was told to, the last for ever."""

    def __init__(self, *answers: Told) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.bodies = list(answers), list[bytes]()


class Handler(BaseHTTPRequestHandler):
    server: Door

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        answers = self.server.answers
        status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def serving(*answers: Told) -> Iterator[Door]:
    with Door(*answers) as door:
        thread = threading.Thread(target=door.serve_forever, args=(0.01,))
        thread.start()
        yield door
        door.shutdown()
        thread.join()


OK: Told = (200, {}, b'{"success":true}')
BUSY: Told = (429, {"Retry-After": "1"}, b'{"success":false,"code":"overloaded","message":"later"}')
AWAY: Told = (503, {"Retry-After": "1"}, b'{"success":false,"code":"unavailable","message":"later"}')
BAD: Told = (400, {}, b'{"success":false,"code":"malformed","message":"not JSON"}')


def test_a_busy_or_unavailable_ingest_is_asked_again(tmp_path: Path) -> None:
    with serving(AWAY, BUSY, OK) as door:
        with open_shop(Settings(ingest_port=door.server_port)) as shop:
            shop.post([{"n": n} for n in range(1_500)])
        sent = [json.loads(body)["batch"] for body in door.bodies]
    assert [len(batch) for batch in sent] == [1_000, 1_000, 1_000, 500]
    assert sent[2] + sent[3] == [{"n": n} for n in range(1_500)]


def test_a_refusing_ingest_is_told_with_its_words(tmp_path: Path) -> None:
    with serving(BAD) as door:
        with (
            open_shop(Settings(ingest_port=door.server_port)) as shop,
            pytest.raises(CdpError) as refused,
        ):
            shop.post([{}])
        assert refused.value.what == "ingest refused a batch: 400 malformed: not JSON"
        assert refused.value.where == f"http://127.0.0.1:{door.server_port}"
        assert len(door.bodies) == 1


def refuse(settings: Settings, original: Any) -> None:
    rejection = Rejection(Reason.BAD_AMOUNT, "total: not an amount", json.dumps(original).encode())
    producer = KafkaProducer(bootstrap_servers=settings.kafka)
    try:
        topic, headers = REJECTED.name(settings.namespace), rejected.headers(rejection, "ingest", 0)
        producer.send(topic, rejection.original, b"shop", headers, 0).get(10)
    finally:
        producer.close()


def test_an_order_that_is_rejected_stops_the_demo_with_its_reason(deployment: Settings) -> None:
    refuse(deployment, {"messageId": "cdnow-00002", "of": "an earlier run"})
    with Refusals(deployment) as refusals:
        refuse(deployment, {"messageId": "somebody else's"})
        refusals.check(to_the_end=True)
        refuse(deployment, {"messageId": "cdnow-00003"})
        with pytest.raises(CdpError, match="rejected: bad_amount: total: not an amount"):
            refusals.check(to_the_end=True)


def test_the_story_tells_at_the_last_order_that_three_are_one() -> None:
    day = date(1997, 1, 1)
    placed = [orders.Order(day + timedelta(n), n + 2, "00040", 1, "10.00") for n in range(5)]
    others = [orders.Order(day, 90, "00041", 1, "1.00"), orders.Order(day, 91, "00060", 1, "1.00")]
    known = story.known_as([*others, *reversed(placed)])
    phone, card = {"type": "phone", "id": "+12125550002"}, {"type": "membership_card", "id": "CDNOW-00040"}
    assert known == {
        2: {"userId": "00040"},
        3: {"context": {"externalIds": [phone]}},
        4: {"context": {"externalIds": [card]}},
        5: {"userId": "00040"},
        6: {"userId": "00040", "context": {"externalIds": [phone, card]}},
    }
    assert story.customers_of([*others, *placed]) == 1


def test_every_segment_and_role_in_force_is_counted_also_where_nobody_is_in_it() -> None:
    columns = ("kind", "name", "value", "customers", "percent")
    rows: list[tuple[Any, ...]] = [
        ("segment", "at_risk", "", 2, 20.0),
        ("value", "customer", "gold", 3, 30.0),
        ("tag", "basket", "large", 9, 90.0),
    ]
    defined = ("segment/champions/1", "segment/at_risk/2", "role/fan/1", "tag/basket/1", "value/customer/1")
    text = io.StringIO()
    Console(file=text, width=100).print(who.counts(Answer(columns, rows), defined))
    assert [line.split() for line in text.getvalue().splitlines()] == [
        ["customers", "percent"],
        ["segment", "at_risk", "2", "20.0"],
        ["segment", "champions", "0", "0.0"],
        ["role", "fan", "0", "0.0"],
        ["tier", "gold", "3", "30.0"],
    ]


def test_tiers_stand_by_stages() -> None:
    rows: list[tuple[Any, ...]] = [("gold", 0, 1, Decimal("1234.5")), ("-", 1_000, 0, Decimal(0))]
    text = io.StringIO()
    Console(file=text, width=100).print(
        who.by_tier(Answer(("tier", "not_yet", "silent", "revenue_total"), rows))
    )
    lines = [line.split() for line in text.getvalue().splitlines()]
    assert lines[1:] == [["gold", "0", "1", "1,234.50"], ["-", "1,000", "0", "0.00"]]
