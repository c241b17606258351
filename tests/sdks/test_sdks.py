"""Each SDK against one ingest, which begins with Kafka away and is never started again."""

import signal
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from schemas.settings import Settings
from schemas.topics import REJECTED
from tests.ingest.servers import Client, Record, read
from tests.processes import Process, running
from tests.sdks.calls import INVALID, Call, all_calls, check, track
from tests.sdks.log import Log, reading
from tests.sdks.registry import SDKS, Place, Sdk
from tests.sdks.runs import Run
from tests.sdks.scenarios import Outcomes, run_all
from tests.sdks.sites import Gate
from tests.servers import Broker
from tests.waiting import connects, until

each = pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.name)
OUTAGE = track("Kafka Was Away")
UNHEARD, BROKEN, BESIDE = track("Unheard"), track("Broken"), track("Beside It")
MUCH = [track(f"Number {number}") for number in range(4)]
FLUSH: Call = {"type": "flush"}


class World(NamedTuple):
    """A running ingest, and what the SDKs met while Kafka was away."""

    settings: Settings
    log: Log
    outage: Outcomes

    def events(self, source: str, *calls: Call) -> list[Any]:
        """What the log has from a source of tracks like these."""
        names = {call["event"] for call in calls}
        return [event for event in self.log.events() if event["source"] == source and event["name"] in names]


@pytest.fixture(scope="module")
def world(founded: Settings, broker: Broker, place: Place) -> Iterator[World]:
    """Every SDK sends an event while Kafka does not answer; then it does, and ingest stays as it is."""
    process, client = Process("ingest", founded), Client(founded)

    def outage(runs: dict[str, Run], gates: dict[str, Gate]) -> None:
        until(lambda: all(runs[n].ended() or 503 in gates[n].statuses for n in runs), "all are told 503")
        broker.program.send(signal.SIGCONT)

    broker.program.send(signal.SIGSTOP)
    with running(process):
        until(lambda: connects(founded.ingest_port), "ingest listens")
        assert client.get("/ready").status == 503
        outcomes = run_all(founded, place, [OUTAGE], asking=False, meanwhile=outage)
        with reading(founded) as log:
            yield World(founded, log, outcomes)
        assert process.alive, "it was one process all the time"


@each
def test_what_was_answered_with_503_is_sent_again_and_is_in_the_log_once(world: World, sdk: Sdk) -> None:
    *refused, last = world.outage[sdk.name].statuses
    assert (set(refused), last) == ({503}, 200)
    assert world.outage[sdk.name].errors == []
    (event,) = world.events(sdk.name, OUTAGE)
    call = {name: value for name, value in OUTAGE.items() if name != "userId" or not sdk.in_page}
    check(event, call)
    if sdk.name != "rudder-node":  # it gives the time of its first attempt with the last, too
        assert event["occurred_at"] < event["received_at"] - 500


@pytest.fixture(scope="module")
def told(world: World, place: Place) -> Outcomes:
    return run_all(world.settings, place, all_calls())


@each
def test_each_of_its_calls_is_in_the_log_once(world: World, told: Outcomes, sdk: Sdk) -> None:
    assert set(told[sdk.name].statuses) == {200}
    assert told[sdk.name].errors == []
    calls = {call["type"]: call for call in all_calls()}
    others = {call["event"] for call in (OUTAGE, BESIDE)}
    events = [e for e in world.log.events() if e["source"] == sdk.name and e["name"] not in others]
    assert sorted(event["type"] for event in events) == sorted(calls)
    for event in events:
        check(event, calls[event["type"]])
    assert len({event["message_id"] for event in events}) == len(calls)


@pytest.fixture(scope="module")
def unheard(world: World, place: Place) -> Outcomes:
    return run_all(world.settings, place, [UNHEARD], lambda _: "nobody", asking=False)


@each
def test_a_wrong_write_key_is_told_once_and_given_up(unheard: Outcomes, sdk: Sdk) -> None:
    assert unheard[sdk.name].statuses == [401]
    assert unheard[sdk.name].errors != []


@pytest.fixture(scope="module")
def broken(world: World, place: Place) -> Outcomes:
    return run_all(world.settings, place, [BROKEN], cutting=True)


@each
def test_a_body_that_came_broken_is_given_up(world: World, broken: Outcomes, sdk: Sdk) -> None:
    assert broken[sdk.name].statuses == [400]
    assert broken[sdk.name].errors != []
    assert world.events(sdk.name, BROKEN) == []


class Invalid(NamedTuple):
    outcomes: Outcomes
    rejected: list[Record]


@pytest.fixture(scope="module")
def invalid(world: World, place: Place) -> Invalid:
    outcomes = run_all(world.settings, place, [INVALID, BESIDE])
    return Invalid(outcomes, read(world.settings, REJECTED))


@each
def test_an_invalid_event_is_never_sent_again(world: World, invalid: Invalid, sdk: Sdk) -> None:
    statuses, errors = invalid.outcomes[sdk.name]
    if sdk.in_page:  # each event by itself
        assert statuses == [400, 200]
        assert len(errors) == 1
    else:  # one bad event never harms its batch
        assert set(statuses) == {200}
        assert errors == []
    rejected = [r for r in invalid.rejected if r.key == sdk.name and b"twelve" in r.value]
    assert len(rejected) == 1
    assert len(world.events(sdk.name, BESIDE)) == 1


@pytest.fixture(scope="module")
def slowed(world: World, place: Place) -> Outcomes:
    return run_all(world.settings, place, [*MUCH[:3], FLUSH, MUCH[3]], lambda sdk: f"slow-{sdk.name}")


@each
def test_what_was_too_much_is_sent_again_when_it_may(world: World, slowed: Outcomes, sdk: Sdk) -> None:
    assert set(slowed[sdk.name].statuses) == {200, 429}
    assert slowed[sdk.name].errors == []
    events = world.events(f"slow-{sdk.name}", *MUCH)
    assert sorted(event["name"] for event in events) == [call["event"] for call in MUCH]


def test_a_page_asks_nobody_but_the_shop_and_ingest(told: Outcomes, broken: Outcomes, place: Place) -> None:
    assert place.hosts == {"localhost", "127.0.0.1"}
