"""Publishing on real servers: exactly the membership that was shown, whatever is killed and arrives meanwhile."""

import random
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy.definitions import history as log_of
from deploy.definitions.asking import affected, context_of, moves
from deploy.definitions.audit import audit
from deploy.definitions.live import wait_until_shown
from deploy.definitions.plan import standing
from deploy.definitions.publish import planned, publish, roll_back
from deploy.program import Program
from deploy.progress import wait_until_visible
from projections.connect import connect
from projections.migrate import migrate
from schemas import definitions, folders
from schemas.definitions import key_of
from schemas.graph import name_of
from schemas.lifecycle import Lifecycle
from schemas.settings import Settings
from schemas.topics import REJECTED, SEGMENT_CHANGES
from tests.integration.log import changes, read, states, write
from tests.integration.shop import (
    BUYERS,
    FREQUENT,
    MORE,
    NOW,
    Happened,
    Labels,
    expected,
    folder,
    history,
    shown,
    united,
)
from tests.processes import Process, environment, running
from tests.processors.events import clock, tick
from tests.servers import Address, Server

KILLED = """
import os, signal, sys
from kafka import KafkaProducer
from deploy.definitions import backfill, publisher
backfill.MOST, left = 7, int(os.environ["STEPS"])

def step():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def stepping(work):
    def stepped(*arguments, **named):
        step()
        done = work(*arguments, **named)
        step()
        return done
    return stepped

for name in ("begin_transaction", "commit_transaction", "flush"):
    setattr(KafkaProducer, name, stepping(getattr(KafkaProducer, name)))
from deploy.cli import main
main()
"""
"""`cdp`, killed with kill -9 after so many steps of transactions; a batch is seven identifiers."""


@pytest.fixture
def shop(deployed: Callable[..., Settings], clickhouse: Server | Address, tmp_path: Path) -> Settings:
    """A deployment with one segment, its clock held, and a database."""
    address = {
        "clickhouse_host": clickhouse.host, "clickhouse_port": clickhouse.tcp, "clickhouse_http_port": clickhouse.http,
    }  # fmt: skip
    settings = deployed(**address, definitions=str(folder(tmp_path / "first", BUYERS)))
    migrate(settings)
    write(settings, [clock(running=False)])
    return settings


def shop_lifecycle() -> Lifecycle:
    found = definitions.load("ecommerce", "lifecycle")
    assert isinstance(found, Lifecycle)
    return found


def visible(settings: Settings, happened: list[Happened]) -> None:
    ends = write(settings, [*(one.said for one in happened), tick(NOW, "importer")])
    wait_until_visible(settings, {partition: end - 1 for partition, end in ends.items()})


def would_be(settings: Settings, path: Path) -> dict[str, Labels]:
    """What everybody would be, by what is live and what `diff` says."""
    found = log_of.read(settings)
    assert found.now is not None
    before = standing(found.definitions, found.now)
    made = planned(found, folders.load(str(path), found.lifecycle))
    with connect(settings) as client:
        after = shown(client)
        later, earlier = (context_of(settings, found, each) for each in (made.definitions, before))
        for was, becomes in affected(before, made.definitions):
            definition = becomes or was
            assert definition is not None
            name = "lifecycle" if definition.kind == "lifecycle" else name_of(definition)
            for move in moves(client, was, becomes, later, earlier):
                assert after[move.customer_id].get(name) == move.was
                after[move.customer_id].pop(name, None)
                if move.becomes is not None:
                    after[move.customer_id][name] = move.becomes
    return after


def assert_said_once(settings: Settings) -> None:
    """What was published of labels adds up to what is live, nothing twice."""
    told = changes(settings, SEGMENT_CHANGES)
    ids = [body["id"] for mine in told.values() for body in mine]
    assert len(ids) == len(set(ids))
    with connect(settings) as client:
        live = shown(client)
    for customer, mine in told.items():
        assert sorted(body["sequence"] for body in mine) == list(range(1, len(mine) + 1))
        carried: dict[str, str] = {}
        for body in sorted(mine, key=lambda each: each["sequence"]):
            name = f"{body['kind']}/{body['name']}"
            if body["change"] == "entered":
                assert name not in carried
                carried[name] = body["value"]
            else:
                assert carried.pop(name) == body["value"]
        is_ = {name: value for name, value in live.get(customer, {}).items() if name != "lifecycle"}
        assert carried == is_, customer


def quiet(_: str, __: int) -> None:
    """Nobody is told."""


@contextmanager
def writing(settings: Settings, happened: list[Happened], some: int = 5) -> Iterator[None]:
    """Meanwhile these events arrive, a few at a time."""
    left, over = list(happened), threading.Event()

    def work() -> None:
        while left:
            write(settings, [one.said for one in left[:some]])
            del left[:some]
            over.wait(0.05)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_publishing_reaches_exactly_what_diff_showed_with_events_arriving_meanwhile(
    shop: Settings, tmp_path: Path
) -> None:
    past, meanwhile = history(1, 60, 600), [one for one in history(2, 60, 400) if one.who < 30]
    meanwhile = [
        one._replace(body={**one.body, "message_id": f"later {n}"}) for n, one in enumerate(meanwhile)
    ]
    path = folder(tmp_path / "second", BUYERS, *MORE)
    with running(*(Process("worker", shop, f"worker{n}") for n in range(2)), Process("sink", shop)):
        visible(shop, [*past, *united(60)])
        shown_before = would_be(shop, path)
        with writing(shop, meanwhile):
            done = publish(shop, folders.read(path), "more to say", quiet)
        assert len(done.plan.leaves) == 9
        visible(shop, [])
        found = audit(shop, log_of.read(shop))
        assert found.differing == []
        with connect(shop) as client:
            live = shown(client)
        everything = [*past, *united(60), *meanwhile]
        assert live == expected(path, shop_lifecycle(), everything)
        untouched = expected(path, shop_lifecycle(), [one for one in everything if one.who >= 30])
        assert {id_: shown_before[id_] for id_ in untouched} == untouched, "diff was right"
        moved = [id_ for id_ in untouched if len(untouched[id_]) > 2]
        assert len(moved) > 10, "and had something to say"
        assert_said_once(shop)
        rolled = roll_back(shop, "segment/smooth", None, quiet)
        assert [str(step) for step in rolled.plan.steps] == ["segment/smooth is no more"]
        assert not rolled.plan.leaves
        wait_until_shown(shop, quiet)
        with connect(shop) as client:
            assert client.execute("SELECT count() FROM portraits WHERE name = 'smooth'") == [(0,)]
        assert audit(shop, log_of.read(shop)).differing == []
        assert_said_once(shop)
    assert read(shop, REJECTED) == []


def test_a_publisher_and_a_worker_that_are_killed_anywhere_change_nothing(
    shop: Settings, tmp_path: Path
) -> None:
    past, dice = [*history(3, 50, 500), *united(50)], random.Random(3)
    path = folder(tmp_path / "second", BUYERS, *MORE)
    workers = [Process("worker", shop, f"worker{n}") for n in range(2)]
    with running(*workers, Process("sink", shop)):
        visible(shop, past)
        publisher = Program("publisher", [sys.executable, "-c", KILLED, "definitions", "publish", str(path),
                                          "--because", "more"], Path(shop.home) / "publisher.log")  # fmt: skip
        kills = 0
        while True:
            publisher.env = {**environment(shop), "STEPS": str(dice.randint(4, 25))}
            publisher.start()
            if kills in (2, 4):
                workers[kills // 2 - 1].kill()
                workers[kills // 2 - 1].start()
            code = publisher.wait(120)
            kills += code == -9
            if code == 0:
                break
            assert code == -9, publisher.log.read_text()
        assert kills > 2
        again = publish(shop, folders.read(path), None, quiet)
        assert (again.plan.steps, again.finished) == ((), None)
        visible(shop, [])
        with connect(shop) as client:
            live = shown(client)
        assert live == expected(path, shop_lifecycle(), past)
        assert audit(shop, log_of.read(shop)).differing == []
        assert_said_once(shop)
        found = log_of.read(shop)
        (last,) = (each.publication for each in found.models if each.publication is not None)
        joined = [state["backfilled"] for key, state in states(shop).items() if key.startswith("position/")]
        assert sum(number for _, number in joined) == last.sent > 30
    assert read(shop, REJECTED) == []


def test_a_lifecycle_is_published_like_the_rest(shop: Settings, tmp_path: Path) -> None:
    past = [*history(5, 30, 200), *united(30)]
    rules = shop_lifecycle().model_dump(mode="json", by_alias=True)
    rules |= {"name": "mine", "version": 1}
    rules["stages"][4]["when"] = {"any": [{"segment": "frequent"}, {"did": {"event": "View", "at_least": 3}}]}
    path = folder(tmp_path / "second", BUYERS, FREQUENT, rules)
    with running(Process("worker", shop), Process("sink", shop)):
        visible(shop, past)
        shown_before = would_be(shop, path)
        done = publish(shop, folders.read(path), "another way", quiet)
        assert "lifecycle/ecommerce is no more" in map(str, done.plan.steps)
        wait_until_shown(shop, quiet)
        with connect(shop) as client:
            live = shown(client)
            under = client.execute("SELECT DISTINCT lifecycle FROM profiles")
        assert live == shown_before == expected(path, shop_lifecycle(), past)
        assert under == [("lifecycle/mine/1",)]
        assert len({mine["lifecycle"] for mine in live.values()}) > 2
        assert key_of(log_of.read(shop).lifecycle) == "lifecycle/mine/1"
        assert audit(shop, log_of.read(shop)).differing == []


def test_a_deployment_that_was_founded_without_a_model_publishes_its_first(
    monkeypatch: pytest.MonkeyPatch, request: Any, tmp_path: Path
) -> None:
    monkeypatch.setattr("deploy.init.founding", lambda _, chosen: (chosen, chosen))
    shop: Settings = request.getfixturevalue("shop")
    assert log_of.read(shop).now is None
    past = history(7, 20, 100)
    path = folder(tmp_path / "second", BUYERS, FREQUENT)
    with running(Process("worker", shop), Process("sink", shop)):
        visible(shop, [*past, *united(20)])
        done = publish(shop, folders.read(path), "the first", quiet)
        assert key_of(done.plan.model) == "model/main/1"
        wait_until_shown(shop, quiet)
        with connect(shop) as client:
            assert shown(client) == expected(path, shop_lifecycle(), [*past, *united(20)])
