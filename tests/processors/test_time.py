"""What falls due, the clock that runs or is held, and definitions that change: nothing twice, nothing lost."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import processors.chunk
import processors.handle
from processors.portrait.model import STAGE
from schemas.definitions import parse
from schemas.lifecycle import Lifecycle
from tests.processors.events import DAY, Said, at, clock, event, marker, order, tick
from tests.processors.logs import events, ticks
from tests.processors.machine import Crash, Machine, delivered, folded

BOUGHT = at("2024-01-01")


def test_an_event_first_publishes_what_fell_due_before_it() -> None:
    machine = folded([order("1", BOUGHT), order("2", BOUGHT + 400 * DAY)])
    assert machine.way() == [None, "new", "silent", "churned", "mature"]
    assert [change.at for change in machine.changes] == [
        BOUGHT, BOUGHT + 90 * DAY, BOUGHT + 365 * DAY, BOUGHT + 400 * DAY,
    ]  # fmt: skip


def test_a_tick_finds_who_became_due_in_its_own_chunk() -> None:
    machine = folded([order("1", BOUGHT), tick(BOUGHT + 90 * DAY)])
    assert (machine.turns, machine.stage()) == (1, "silent")


def test_a_tick_that_is_not_later_than_the_last_is_ignored() -> None:
    machine = folded([order("1", BOUGHT), tick(BOUGHT + 5 * DAY), tick(BOUGHT + DAY)])
    assert machine.position["clock_at"] == BOUGHT + 5 * DAY


def test_history_that_arrives_while_the_clock_runs_invents_no_past_transitions() -> None:
    now = BOUGHT + 800 * DAY
    machine = folded([tick(now), order("1", BOUGHT, received=now), order("2", BOUGHT + DAY, received=now)])
    assert machine.way() == [None, "churned"]
    assert machine.changes[0].at == now
    assert machine.changes[0].body["caused_at"] == BOUGHT


class TestHeldClock:
    def test_an_owners_tick_is_ignored(self) -> None:
        machine = folded([clock(running=False), order("1", BOUGHT), tick(BOUGHT + 400 * DAY)])
        assert (machine.stage(), machine.position["clock_at"]) == ("new", 0)

    def test_an_importers_ticks_let_a_year_pass(self) -> None:
        times = [tick(BOUGHT + n * DAY, "importer") for n in range(400)]
        machine = folded([clock(running=False), order("1", BOUGHT), *times])
        assert machine.way() == [None, "new", "silent", "churned"]

    def test_holding_it_forgets_the_last_tick_but_no_customers_time(self) -> None:
        now = BOUGHT + 1_000 * DAY
        machine = folded([order("1", now - DAY), tick(now), clock(running=False)])
        machine.feed(order("1", BOUGHT, who="bob"), tick(BOUGHT + 90 * DAY, "importer"))
        assert machine.way("bob") == [None, "new", "silent"]
        assert (machine.state("ada")["at"], machine.stage("ada")) == (now - DAY, "new")

    def test_letting_it_run_takes_owners_ticks_again(self) -> None:
        said = [clock(running=False), order("1", BOUGHT), tick(BOUGHT + DAY, "importer"), clock(running=True)]
        machine = folded([*said, tick(BOUGHT + 90 * DAY)])
        assert (machine.stage(), machine.position["running"]) == ("silent", True)


SLICE = 40


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors.chunk, "SLICE", SLICE)


def crowd(count: int) -> list[Said]:
    return [order("1", BOUGHT, who=f"u{n:05}") for n in range(count)]


@pytest.mark.usefixtures("small_slices")
@pytest.mark.parametrize("chunk", [3 * SLICE, 17])
def test_thousands_due_at_once_change_once_each_though_killed_at_any_turn(chunk: int) -> None:
    midnight = tick(BOUGHT + 90 * DAY)
    log = [*crowd(2 * SLICE + 5), midnight, order("2", BOUGHT + 91 * DAY, who="u00001")]
    whole = Machine().feed(*log, chunk=chunk)
    assert sum(change.body["to"] == "silent" for change in whole.changes) == 2 * SLICE + 5
    for killed in range(1, whole.turns + 1):
        machine = Machine()
        machine.crash_at = killed
        with pytest.raises(Crash):
            machine.feed(*log, chunk=chunk)
        machine.run(chunk)
        assert sorted(change.id for change in machine.changes) == sorted(c.id for c in whole.changes)
        assert machine.states == whole.states
        assert {**machine.position} == {**whole.position}


@pytest.mark.usefixtures("small_slices")
def test_a_new_lifecycle_is_evaluated_for_everybody_once_though_killed_at_any_turn() -> None:
    keen = lifecycle("keen", {"did": ["Signed Up"]})
    log = [event("Page Viewed", BOUGHT, who=f"u{n:05}") for n in range(SLICE + 5)]
    log += [event("Signed Up", BOUGHT), tick(BOUGHT + DAY), marker("lifecycle", "lifecycle/keen/1")]
    whole = Machine("ecommerce", "UTC", keen).feed(*log)
    assert whole.way() == [None, "responder", "mature"]
    last = whole.changes[-1].body
    assert (last["lifecycle"], last["effective_at"]) == ("lifecycle/keen/1", BOUGHT + DAY)
    for killed in range(1, whole.turns + 1):
        machine = Machine("ecommerce", "UTC", keen)
        machine.crash_at = killed
        with pytest.raises(Crash):
            machine.feed(*log)
        machine.run()
        assert sorted(change.id for change in machine.changes) == sorted(c.id for c in whole.changes)
        assert machine.stages() == whole.stages()


@pytest.mark.parametrize("what", ["a tick", "a new lifecycle"])
@pytest.mark.usefixtures("small_slices")
def test_commands_among_slices_count_once_though_killed_at_any_turn(what: str) -> None:
    keen = lifecycle("keen", {"did": ["Signed Up"]})
    last = marker("lifecycle", "lifecycle/keen/1") if what == "a new lifecycle" else tick(BOUGHT + 90 * DAY)
    log = [*crowd(SLICE + 5), event("Visit", BOUGHT), event("Visit", BOUGHT)._replace(key="clock"), last]

    def machine() -> Machine:
        more = [delivered(event("Song Played", BOUGHT + DAY, who=f"u{n:05}")) for n in (1, 2, 3)]
        made = Machine("ecommerce", "UTC", keen).feed(*crowd(9)).tell("ada", delivered(order("1", BOUGHT)))
        for n, body in zip((1, 2, 3), more, strict=True):
            made.tell(f"u{n:05}", body)
        return made

    whole = machine().feed(*log)
    assert [part["events"] for part in whole.state()["parts"].values()] == [2]
    assert whole.position["commands"] == 4
    assert len(whole.rejected) == 1
    for killed in range(2, whole.turns + 1):
        again = machine()
        again.crash_at = killed
        with pytest.raises(Crash):
            again.feed(*log)
        again.run()
        assert sorted(change.id for change in again.changes) == sorted(c.id for c in whole.changes)
        assert (again.parts(), again.stages()) == (whole.parts(), whole.stages())
        assert {**again.position} == {**whole.position}
        assert len(again.rejected) == 1


def test_commands_come_before_a_tick_that_was_read_with_them() -> None:
    machine = Machine().tell("ada", delivered(order("1", BOUGHT))).feed(tick(BOUGHT + 90 * DAY))
    assert (machine.turns, machine.way()) == (1, [None, "new", "silent"])


@given(st.lists(st.tuples(events(), st.booleans()), max_size=30), st.integers(1, 10), st.integers(1, 10))
@settings(max_examples=100, deadline=None)
def test_what_is_folded_in_one_turn_with_commands_is_folded_as_alone(
    log: list[tuple[Said, bool]], chunk: int, other: int
) -> None:
    def machine() -> Machine:
        made = Machine()
        for said, sent_on in log:
            if sent_on:
                made.tell(said.key.removeprefix("user_id:"), delivered(said._replace(keys=said.key)))
        return made

    mine = [said for said, sent_on in log if not sent_on]
    assert machine().feed(*mine, chunk=chunk).parts() == machine().run(other).feed(*mine).parts()


def test_changing_definitions_to_and_fro_at_one_time_gives_no_id_twice() -> None:
    keen = lifecycle("keen", {"did": ["Signed Up"]})
    there, back = marker("lifecycle", "lifecycle/keen/1"), marker("lifecycle", "lifecycle/ecommerce/1")
    log = [event("Signed Up", BOUGHT), tick(BOUGHT + DAY), there, back, there, back, there]
    machine = Machine("ecommerce", "UTC", keen).feed(*log)
    ids = [change.id for change in machine.changes]
    assert len(ids) == len(set(ids)) == 6


OWN: dict[str, Any] = {
    "churned": {"since": {"last": ["Song Played"], "days": 30}},
    "silent": {"since": {"last": "own", "days": 20}},
    "mature": {"count": {"of": ["Song Played", "Page Viewed"], "at_least": 3}},
    "new": {"not": {"did": ["Visit"]}},
    "responder": {"count": {"of": "purchases", "at_least": 1}},
}


def lifecycle(name: str, mature: dict[str, Any]) -> Lifecycle:
    """A lifecycle of one condition."""
    never = {"count": {"of": "renewals", "at_least": 1_000}}
    return custom(
        name,
        {
            "churned": never,
            "silent": never,
            "mature": mature,
            "new": never,
            "responder": {"did": ["Signed Up"]},
        },
    )


def custom(name: str, stages: dict[str, Any]) -> Lifecycle:
    rules = [*({"stage": stage, "when": when} for stage, when in stages.items()), {"stage": "prospect"}]
    definition = parse({"kind": "lifecycle", "name": name, "version": 1, "stages": rules}, name)
    assert isinstance(definition, Lifecycle)
    return definition


@given(st.lists(events() | ticks.map(tick), max_size=30), st.sampled_from(["ecommerce", "gym", "own"]))
@settings(max_examples=60, deadline=None)
def test_sparing_the_evaluation_spares_no_change(log: list[Said], name: str) -> None:
    definition = custom("own", OWN)
    quick = Machine(name, "UTC", definition).feed(*log)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processors.handle, "touched", lambda *_: {STAGE})
        slow = Machine(name, "UTC", definition).feed(*log)
    assert quick.changes == slow.changes
    assert quick.parts() == slow.parts()


def test_a_name_that_its_bound_forgets_is_no_longer_done_at_once() -> None:
    """An event that no condition names may push out one that a condition does."""
    definition = lifecycle("own", {"did": ["zz"]})
    log = [event("zz", BOUGHT), *(event(f"a{n:03}", BOUGHT + n + 1) for n in range(101))]
    quick = Machine("own", "UTC", definition).feed(*log)
    assert quick.way() == [None, "mature", "prospect"]
    assert quick.parts() == Machine("own", "UTC", definition).feed(*reversed(log)).parts()
