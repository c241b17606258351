"""Each SDK against one ingest, which begins with Kafka away and is never started again."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any, NamedTuple

import pytest

from schemas.settings import Settings
from schemas.topics import REJECTED
from tests.ingest.servers import Client, read
from tests.processes import Process, running
from tests.sdks.calls import INVALID, Call, all_calls, check, track
from tests.sdks.conftest import key_of
from tests.sdks.log import Log, reading
from tests.sdks.registry import SDKS, Place, Sdk
from tests.sdks.runs import Order, Run
from tests.sdks.sites import Gate
from tests.servers import Broker
from tests.waiting import connects, until

each = pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.name)
OUTAGE = "Kafka Was Away"
FLUSH: Call = {"type": "flush"}


class World(NamedTuple):
    """A running ingest, and what the SDKs met while Kafka was away: statuses and errors by SDK."""

    settings: Settings
    log: Log
    url: str
    statuses: dict[str, list[int]]
    errors: dict[str, list[str]]

    def events(self, source: str) -> list[Any]:
        return [event for event in self.log.events() if event["source"] == source]

    def rejected(self, source: str) -> list[bytes]:
        return [record.value for record in read(self.settings, REJECTED) if record.key == source]

    def gate(self, *, cutting: bool = False) -> Gate:
        return Gate(self.settings.ingest_host, self.settings.ingest_port, cutting=cutting)


@pytest.fixture(scope="module")
def world(founded: Settings, broker: Broker, place: Place) -> Iterator[World]:
    """Every SDK sends an event while Kafka is away; then Kafka comes, and ingest stays as it is."""
    broker.kill()
    process, client = Process("ingest", founded), Client(founded)
    url = f"http://{founded.ingest_host}:{founded.ingest_port}"
    with running(process):
        until(lambda: connects(founded.ingest_port), "ingest listens")
        assert client.get("/ready").status == 503
        with ExitStack() as stack:
            gates = {
                sdk.name: stack.enter_context(Gate(founded.ingest_host, founded.ingest_port).open())
                for sdk in SDKS
            }
            runs = {
                sdk.name: stack.enter_context(
                    sdk.working(order(gates[sdk.name].url, sdk.name, track(OUTAGE), settings="given"), place)
                )
                for sdk in SDKS
            }
            for name, run in runs.items():
                until(partial(_met_the_outage, run, gates[name]), f"{name} is told 503")
            broker.start()
            errors = {name: run.errors() for name, run in runs.items()}
        statuses = {name: gate.statuses for name, gate in gates.items()}
        with reading(founded) as log:
            yield World(founded, log, url, statuses, errors)
        assert process.alive, "it was one process all the time"


def _met_the_outage(run: Run, gate: Gate) -> bool:
    return run.ended() or 503 in gate.statuses


def order(url: str, source: str, *calls: Call, settings: str = "asked") -> Order:
    return Order(host=url, key=key_of(source), calls=list(calls), settings=settings)


@each
def test_what_was_answered_with_503_is_sent_again_and_is_in_the_log_once(world: World, sdk: Sdk) -> None:
    *refused, last = world.statuses[sdk.name]
    assert (set(refused), last) == ({503}, 200)
    assert world.errors[sdk.name] == []
    (event,) = [event for event in world.events(sdk.name) if event["name"] == OUTAGE]
    call = track(OUTAGE)
    if sdk.single:
        del call["userId"]  # a page says it once, by identify
    check(event, call)
    if sdk.name != "rudder-node":  # it says the time of its first attempt as that of the last, too
        assert event["occurred_at"] < event["received_at"] - 1_000


@each
def test_each_of_its_calls_is_in_the_log_once(world: World, place: Place, sdk: Sdk) -> None:
    calls = all_calls()
    with sdk.working(order(world.url, sdk.name, *calls), place) as run:
        assert run.errors() == []
    events = [event for event in world.events(sdk.name) if event["name"] != OUTAGE]
    assert sorted(event["type"] for event in events) == sorted(call["type"] for call in calls)
    by_type = {event["type"]: event for event in events}
    for call in calls:
        check(by_type[call["type"]], call)
    assert len({event["message_id"] for event in events}) == len(calls)
    assert world.rejected(sdk.name) == []


@each
def test_a_wrong_write_key_is_told_once_and_given_up(world: World, place: Place, sdk: Sdk) -> None:
    with world.gate().open() as gate:
        with sdk.working(order(gate.url, "nobody", track("Unheard"), settings="given"), place) as run:
            assert run.errors() != []
        assert gate.statuses == [401]


@each
def test_a_body_that_came_broken_is_given_up(world: World, place: Place, sdk: Sdk) -> None:
    with world.gate(cutting=True).open() as gate:
        with sdk.working(order(gate.url, sdk.name, track("Broken")), place) as run:
            assert run.errors() != []
        assert gate.statuses == [400]
    assert "Broken" not in {event["name"] for event in world.events(sdk.name)}


@each
def test_an_invalid_event_is_never_sent_again(world: World, place: Place, sdk: Sdk) -> None:
    before = len(world.rejected(sdk.name))
    with world.gate().open() as gate:
        with sdk.working(order(gate.url, sdk.name, INVALID, track("Beside It")), place) as run:
            assert bool(run.errors()) == sdk.single, "one bad event never harms its batch"
        assert gate.statuses[-1] == 200
        assert (400 in gate.statuses) == sdk.single
    rejected = world.rejected(sdk.name)[before:]
    assert [b"twelve" in original for original in rejected] == [True]
    assert [event["name"] for event in world.events(sdk.name)].count("Beside It") == 1


@each
def test_what_was_too_much_is_sent_again_when_it_may(world: World, place: Place, sdk: Sdk) -> None:
    source, calls = f"slow-{sdk.name}", [track(f"Number {number}") for number in range(4)]
    with world.gate().open() as gate:
        with sdk.working(order(gate.url, source, *calls[:3], FLUSH, calls[3]), place) as run:
            assert run.errors() == []
        assert 429 in gate.statuses
        assert set(gate.statuses) == {200, 429}
    assert sorted(event["name"] for event in world.events(source)) == [call["event"] for call in calls]
