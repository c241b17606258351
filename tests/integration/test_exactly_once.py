"""Killed, stopped, rebalanced: every customer is as the whole log has it, and each change is published once."""

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.init import init
from schemas.settings import Settings
from schemas.state import CLUSTER, POSITION
from schemas.topics import EVENTS, LIFECYCLE_CHANGES, REJECTED, STATE
from tests.conftest import settings_for
from tests.integration.crowd import assert_equal_to_oracle, history
from tests.integration.log import changes, read, states, until_folded, write
from tests.processes import Process, running
from tests.processors.events import at, clock, event, order
from tests.servers import Broker
from tests.waiting import until

PEOPLE, EVENTS_EACH = 300, 30


def folded(settings: Settings) -> int:
    """Records folded so far."""
    return sum(state["folded"] for key, state in states(settings).items() if key.startswith("position/"))


def test_killed_at_random_moments_with_lag_behind(deployment: Settings) -> None:
    rng, said = random.Random(7), history(1, PEOPLE, PEOPLE * EVENTS_EACH)
    cuts = sorted(rng.sample(range(len(said)), 5))
    worker, ends = Process("worker", deployment), dict[int, int]()
    with running(worker):
        for before, cut in zip([0, *cuts], cuts, strict=False):
            opened = worker.said().count("partition open")
            ends |= write(deployment, said[before:cut])
            until(lambda opened=opened: worker.said().count("partition open") > opened)  # type: ignore[misc]
            time.sleep(rng.uniform(0, 0.2))  # the moment is the point: anywhere in a transaction
            worker.kill()
            worker.start()
        ends |= write(deployment, said[cuts[-1] :])
        found = until_folded(deployment, ends)
        assert_equal_to_oracle(deployment, said, found)
        assert worker.end() == 0
    assert "Traceback" not in worker.said()


def test_workers_come_and_go_under_load(deployment: Settings) -> None:
    rng, said = random.Random(8), history(2, PEOPLE, PEOPLE * EVENTS_EACH)
    workers = [Process("worker", deployment, f"worker{n}") for n in range(3)]
    first, second, third = workers
    step = len(said) // 5
    pieces = [said[n * step : (n + 1) * step if n < 4 else None] for n in range(5)]
    ends = dict[int, int]()
    with running(first):
        try:
            ends |= write(deployment, pieces[0])
            second.start()
            third.start()
            ends |= write(deployment, pieces[1])
            until(lambda: "partition open" in second.said() and "partition open" in third.said())
            ends |= write(deployment, pieces[2])
            time.sleep(rng.uniform(0, 0.5))
            second.kill()
            ends |= write(deployment, pieces[3])
            assert third.end() == 0
            ends |= write(deployment, pieces[4])
            assert_equal_to_oracle(deployment, said, until_folded(deployment, ends))
        finally:
            for worker in (second, third):
                worker.kill()
    for worker in workers:
        assert "Traceback" not in worker.said()


def test_a_worker_that_hung_past_its_session_is_fenced(deployment: Settings) -> None:
    said = history(3, PEOPLE, PEOPLE * EVENTS_EACH)
    half = len(said) // 2
    zombie, heir = (Process("worker", deployment, name) for name in ("zombie", "heir"))
    with running(zombie):
        ends = write(deployment, said[:half])
        until(lambda: folded(deployment) > 100, every=0.3)
        zombie.pause()
        with running(heir):
            ends |= write(deployment, said[half:])
            until_folded(deployment, ends)  # the heir alone, though the zombie holds its stores
            zombie.resume()
            until(lambda: zombie.said().count("partitions assigned") > 1, seconds=90)
            ends |= write(
                deployment, [event("Page Viewed", at("2025-07-01"), who=f"v{n}") for n in range(50)]
            )
            found = until_folded(deployment, ends)
            assert heir.end() == 0
        assert zombie.end() == 0
    later = [event("Page Viewed", at("2025-07-01"), who=f"v{n}") for n in range(50)]
    assert_equal_to_oracle(deployment, [*said, *later], found)
    for worker in (zombie, heir):
        assert "Traceback" not in worker.said()


def test_a_killed_broker_is_waited_for(own_broker: Broker, tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "home", kafka=own_broker.address)
    settings.home.mkdir()
    init(settings)
    said = history(4, PEOPLE, PEOPLE * EVENTS_EACH)
    half, worker = len(said) // 2, Process("worker", settings)
    ends = write(settings, said[:half])
    with running(worker):
        until(lambda: folded(settings) > 100, every=0.3)
        own_broker.kill()
        own_broker.start()
        ends |= write(settings, said[half:])
        found = until_folded(settings, ends, 90)
        assert_equal_to_oracle(settings, said, found)
        assert worker.end() == 0
    assert "Traceback" not in worker.said()
    assert worker.said().count("Unable connect") <= 3, "an outage is told, not at each attempt"


def test_a_worker_started_before_kafka_says_so_once_and_goes_on(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "kafka")
    settings = settings_for(tmp_path / "home", kafka=broker.address)
    worker = Process("worker", settings)
    try:
        with running(worker):
            until(lambda: "Kafka cannot be reached" in worker.said())
            broker.start()
            init(settings)
            # there was no deployment when it reached Kafka, or there is one now: either is told plainly
            until(lambda: "partition open" in worker.said() or not worker.alive)
            if not worker.alive:
                assert "error: there is no " in worker.said()  # deployment, or genesis record yet
                worker.start()
            found = until_folded(settings, write(settings, [event("Signed Up", at("2026-01-01"))]))
            assert "user_id:ada" in found
            assert worker.said().count("Kafka cannot be reached") == 1
            assert worker.end() == 0
    finally:
        broker.kill()


@pytest.mark.parametrize("loss", ["wiped", "another deployment's"])
def test_a_disk_is_rebuilt_from_the_changelog(
    deployed: Callable[..., Settings], tmp_path: Path, loss: str
) -> None:
    settings, said = deployed(), history(5, 50, 1_000)
    worker = Process("worker", settings)
    with running(worker):
        before = until_folded(settings, write(settings, said))
        assert worker.end() == 0
    disk = settings.home / "state" / settings.namespace
    assert disk.exists()
    if loss == "wiped":
        shutil.rmtree(disk)
    else:
        other = deployed()
        stranger = Process("worker", other)
        with running(stranger):
            until_folded(other, write(other, [*said, *said]))
            assert stranger.end() == 0
        shutil.rmtree(disk)
        shutil.copytree(other.home / "state" / other.namespace, disk)
    with running(worker):
        more = [order("x", at("2025-08-01"), who=f"u{n}") for n in range(50)]
        after = until_folded(settings, write(settings, more))
        assert worker.end() == 0
    assert ("store wiped" in worker.said()) == (loss != "wiped")
    for key, state in before.items():
        if ":" in key:
            assert after[key]["parts"][key]["events"] == state["parts"][key]["events"] + 1


def test_poison_is_counted_exactly_and_rejected_with_its_place(deployment: Settings) -> None:
    rng, good = random.Random(6), history(6, 50, 3_000)
    poison = [b"{", b"\xff\x00", b'{"v":9}', b"", b'{"v":1}', b'{"v":1,"name":"\\ud800"}']
    said = []
    for number, one in enumerate(good):
        said.append(one)
        if number % 100 == 50:
            said.append(one._replace(value=rng.choice(poison), keys="user_id:u1", key="user_id:u1"))
    bad = len(said) - len(good)
    worker = Process("worker", deployment)
    with running(worker):
        found = until_folded(deployment, write(deployment, said))
        assert_equal_to_oracle(deployment, good, found)
        worker.kill()
    rejected = read(deployment, REJECTED)
    assert len(rejected) == bad
    assert sum(state["rejected"] for key, state in found.items() if key.startswith("position/")) == bad
    log = {(r.partition, r.offset): r.value for r in read(deployment, EVENTS)}
    for record in rejected:
        told = {name: value.decode() for name, value in record.headers}
        topic, partition, offset = told["where"].split("/")
        assert topic == EVENTS.name(deployment.namespace)
        assert log[int(partition), int(offset)] == record.value
        assert told["reason"] in ("unreadable", "unknown_version")


def test_a_log_of_rubbish_stops_the_worker_with_its_reason(deployment: Settings) -> None:
    rubbish = [event("Visit", at("2026-01-01"), who=f"u{n}")._replace(value=b"rubbish") for n in range(2_000)]
    write(deployment, rubbish)
    worker = Process("worker", deployment)
    with running(worker):
        assert worker.wait(60) == 1
        drained = len(read(deployment, REJECTED))
        worker.start()  # as its supervisor would
        assert worker.wait(60) == 1
    assert "records were rejected" in worker.said()
    assert "CDP_MAX_REJECTED_SHARE" in worker.said()
    assert drained == len(read(deployment, REJECTED)) == 0, "the log was drained into the dead letters"


def test_the_live_clock_ticks_once_a_minute_in_every_partition(deployment: Settings) -> None:
    worker = Process("worker", deployment)
    with running(worker):
        until(
            lambda: sum(r["clock_at"] > 0 for r in _positions(deployment).values()) == deployment.partitions
        )
        write(deployment, [order("1", at("2020-01-01"))])
        until(lambda: changes(deployment, LIFECYCLE_CHANGES))
        assert worker.end() == 0
    ((told,),) = changes(deployment, LIFECYCLE_CHANGES).values()
    assert (told["from"], told["to"]) == (None, "churned")
    ticks = [(r.partition, r.value) for r in read(deployment, EVENTS) if r.key == b"tick"]
    assert len(ticks) == len(set(ticks)) >= deployment.partitions


def _positions(settings: Settings) -> dict[str, dict[str, int]]:
    return {key: state for key, state in states(settings).items() if key.startswith("position/")}


def test_a_hold_that_ends_within_a_minute_lets_the_clock_run_at_once(deployment: Settings) -> None:
    worker = Process("worker", deployment)
    with running(worker):
        until(lambda: len(_positions(deployment)) == 4)
        until(lambda: all(position["clock_at"] for position in _positions(deployment).values()))
        write(deployment, [clock(running=False)])
        until(lambda: not any(position["clock_at"] for position in _positions(deployment).values()))
        write(deployment, [clock(running=True)])
        until(lambda: all(position["clock_at"] for position in _positions(deployment).values()), seconds=15)


def test_states_and_positions_are_what_their_topic_promises(deployment: Settings) -> None:
    worker = Process("worker", deployment)
    with running(worker):
        until_folded(deployment, write(deployment, history(9, 20, 200)))
    for record in read(deployment, STATE):
        adapter = POSITION if record.key == b"position" else CLUSTER
        adapter.validate_json(record.value, strict=True)


def test_a_worker_is_stopped_in_good_time_though_kafka_is_gone(own_broker: Broker, tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "home", kafka=own_broker.address)
    settings.home.mkdir()
    init(settings)
    write(settings, history(10, PEOPLE, PEOPLE * EVENTS_EACH))
    worker = Process("worker", settings)
    with running(worker):
        until(lambda: "partition open" in worker.said())
        own_broker.kill()
        assert worker.end(30) == 0
    assert "Traceback" not in worker.said()
