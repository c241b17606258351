"""Whatever happens to ingest or to Kafka: what was answered with 200 is in the log."""

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import orjson
import psutil

from deploy.program import Program
from schemas.settings import Settings
from tests.ingest.conftest import wait_for
from tests.ingest.ledger import Ledger
from tests.ingest.servers import Client, ingest, running, until

Founded = Callable[..., Settings]
Own = tuple[Program, Settings]
TRACK = {"event": "Visit", "userId": "u1"}


def test_a_stop_ends_what_it_began_and_loses_nothing(founded: Founded, tmp_path: Path) -> None:
    settings = founded()
    program, ledger = ingest(settings, tmp_path), Ledger(settings)
    with running(program, settings), ledger.running():
        until(lambda: len(ledger.acknowledged) > 500)
        program.terminate()
        assert program.wait(15) == 0
    assert not ledger.lost()


def test_killed_at_any_moment_it_loses_nothing_acknowledged(founded: Founded, tmp_path: Path) -> None:
    settings, moments = founded(), random.Random(20260921)
    program, ledger = ingest(settings, tmp_path), Ledger(settings)
    with ledger.running():
        for _ in range(5):
            with running(program, settings):
                goal = len(ledger.acknowledged) + moments.randrange(20, 400)
                until(lambda goal=goal: len(ledger.acknowledged) > goal)  # type: ignore[misc]
                program.kill()
    assert len(ledger.acknowledged) > 100
    assert not ledger.lost()


def test_a_silent_broker_is_503_in_bounded_time_and_memory(own_broker: Own, tmp_path: Path) -> None:
    broker, settings = own_broker
    program, ledger = ingest(settings, tmp_path), Ledger(settings)
    with running(program, settings) as client:
        assert client.post("/v1/track", TRACK).status == 200
        broker.send(signal.SIGSTOP)
        began = time.monotonic()
        answer = client.post("/v1/track", TRACK)
        assert (answer.status, answer.body["code"], answer.body["success"]) == (503, "unavailable", False)
        assert int(answer.headers["retry-after"]) in range(1, 301)
        assert time.monotonic() - began < 8
        assert (client.get("/health").status, client.get("/ready").status) == (200, 503)
        memory = psutil.Process(program.pid).memory_info().rss
        with ledger.running():
            until(lambda: 503 in ledger.statuses)
            assert psutil.Process(program.pid).memory_info().rss < memory + 100 * 2**20
            broker.send(signal.SIGCONT)
            until(lambda: len(ledger.acknowledged) > 200)
        assert client.get("/ready").status == 200
        assert client.post("/v1/track", TRACK).status == 200
    assert not ledger.lost()
    said = [orjson.loads(line) for line in program.log.read_text().splitlines()]
    assert [line["event"] for line in said if "acknowledge" in line["event"]] == [
        "kafka does not acknowledge",
        "kafka acknowledges again",
    ]


def test_a_killed_broker_costs_nothing_acknowledged(own_broker: Own, tmp_path: Path) -> None:
    broker, settings = own_broker
    program, ledger = ingest(settings, tmp_path), Ledger(settings)
    with running(program, settings), ledger.running():
        until(lambda: len(ledger.acknowledged) > 300)
        broker.kill()
        until(lambda: 503 in ledger.statuses)
        broker.start()
        wait_for(broker, int(settings.kafka.rpartition(":")[2]))
        before = len(ledger.acknowledged)
        until(lambda: len(ledger.acknowledged) > before + 300)
    assert not ledger.lost()


def test_it_waits_for_a_broker_that_is_not_there_yet(own_broker: Own, tmp_path: Path) -> None:
    broker, settings = own_broker
    broker.kill()
    program, client = ingest(settings, tmp_path), Client(settings)
    program.start()
    try:
        program.wait_ready()
        assert (client.get("/health").status, client.get("/ready").status) == (200, 503)
        answer = client.post("/v1/track", TRACK)
        assert (answer.status, answer.body["code"]) == (503, "unavailable")
        broker.start()
        until(lambda: client.post("/v1/track", TRACK).status == 200)
    finally:
        program.kill()
    assert program.log.read_text().count("kafka unavailable") == 1
