"""Stories of labels: windows that close, definitions that go, fail, and are counted."""

import random
from dataclasses import replace
from typing import Any

import pytest

from processors.failures import EACH_S, Failures
from processors.portrait import model
from processors.portrait.compiled import Compiled, never
from schemas.changes import SEGMENT_CHANGED
from schemas.definitions import key_of
from schemas.portrait import Model, Segment
from tests.processors.events import DAY, at, event, marker, tick
from tests.processors.identities import SMALL, linked, rules_of, said, stated
from tests.processors.machine import Machine, library
from tests.processors.world import World

START = at("2026-01-10T12:00")
RECENT = {"did": {"event": "Visit", "at_least": 2, "within": {"last_days": 30}}}


def segment(name: str, when: dict[str, Any], version: int = 1) -> Segment:
    return Segment.model_validate({"kind": "segment", "name": name, "version": version, "when": when})


def model_of(number: int, *segments: Segment, leaves: dict[str, int] | None = None) -> Model:
    needed = leaves or dict.fromkeys(model.leaves(segments), number)
    keys = ("lifecycle/ecommerce/1", *map(key_of, segments))
    return Model(kind="model", version=number, definitions=keys, leaves=needed)


def machine_of(*segments: Segment, more: tuple[Any, ...] = ()) -> Machine:
    machine = Machine("ecommerce", "UTC", *segments, model_of(1, *segments), *more)
    machine.position["in_force"]["model"] = "model/main/1"
    return machine


def told(machine: Machine) -> list[tuple[str, str, int, str]]:
    bodies = [change.body for change in machine.changes if change.type == SEGMENT_CHANGED]
    return [(body["change"], body["name"], body["effective_at"], body["cause"]) for body in bodies]


def test_a_window_closes_at_midnight_with_no_event_arriving() -> None:
    machine = machine_of(segment("regular", RECENT))
    machine.feed(event("Visit", START), event("Visit", START + DAY), tick(START + 20 * DAY))
    assert told(machine) == [("entered", "regular", START + DAY, f"shop/Visit@{START + DAY}")]
    closes = at("2026-02-09")
    machine.feed(tick(closes - 1))
    assert len(told(machine)) == 1
    machine.feed(tick(closes + DAY))
    assert told(machine)[1:] == [("left", "regular", closes, "time")]
    assert "labels" not in next(iter(machine.state()["published"].values()))


def test_a_late_event_counts_where_it_belongs() -> None:
    machine = machine_of(segment("regular", RECENT))
    now = START + 40 * DAY
    machine.feed(event("Visit", now), event("Visit", START, received=now), event("Song Played", now))
    assert told(machine) == []
    machine.feed(event("Visit", now - 29 * DAY, received=now))
    assert [(change, name) for change, name, *_ in told(machine)] == [("entered", "regular")]


def test_who_carries_a_label_of_a_definition_that_is_no_more_leaves_it() -> None:
    kept, gone = segment("kept", {"did": ["Visit"]}), segment("gone", RECENT)
    again = segment("kept", {"did": ["Visit", "Song Played"]}, version=2)
    machine = machine_of(kept, gone, more=(again, model_of(2, again, leaves={})))
    machine.feed(event("Visit", START), event("Visit", START + 1), tick(START + DAY))
    assert machine.state()["parts"]["user_id:ada"]["leaves"]
    machine.feed(marker("model", "model/main/2"))
    assert told(machine)[2:] == [("left", "gone", START + DAY, "model/main/2")]
    (published,) = machine.state()["published"].values()
    assert published["labels"] == {"segment/kept": ["", START, 2]}
    assert "leaves" not in machine.state()["parts"]["user_id:ada"]


def test_a_definition_that_fails_on_somebodys_data_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = machine_of(segment("odd", RECENT), segment("even", {"not": {"segment": "odd"}}))
    definitions = machine.library.compile(machine.position["in_force"])

    def fails(_: Any) -> bool:
        raise ArithmeticError

    broken = [
        rule._replace(values=(("", Compiled(fails, never)),)) if rule.label == "segment/odd" else rule
        for rule in definitions.portrait.rules
    ]
    portrait = definitions.portrait._replace(rules=tuple(broken))
    monkeypatch.setattr(machine, "compile", lambda _: replace(definitions, portrait=portrait))
    machine.feed(event("Visit", START), event("Visit", START + 1))
    assert machine.rejected == []
    assert [name for _, name, *_ in told(machine)] == ["even"]
    assert machine.failed == {"segment/odd/1": 2}


def test_failures_are_told_once_a_minute_with_their_number(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    failures = Failures(lambda: now[0])
    for _ in range(3):
        failures.note({"segment/odd/1": 2})
    now[0] = EACH_S
    failures.note({"segment/odd/1": 1})
    lines = [line for line in capsys.readouterr().out.splitlines() if "segment/odd/1" in line]
    assert [("times=2" in line, "times=5" in line) for line in lines] == [(True, False), (False, True)]


def test_an_identifier_that_is_anothers_is_not_ones_own() -> None:
    reachable = segment("reachable", {"identifier": "email"})
    world = World(library("UTC", rules_of({}), reachable, model_of(1, reachable)), 2, SMALL)
    for partition in world.partitions:
        partition.position["in_force"]["model"] = "model/main/1"
    mail = {"email": ["ada@example.com"]}
    first = stated("Visit", START, "user_id:1", "email:1", identifiers={"user_id": ["1"], **mail})
    second = stated("Visit", START + DAY, "user_id:2", "email:1", identifiers={"user_id": ["2"], **mail})
    world.say([said(first), said(second)]).run(random.Random(1))
    labels = {
        one["head"]: one.get("labels", {})
        for state in world.states().values()
        for one in state.get("published", {}).values()
        if one["members"]
    }
    assert labels["user_id:1"].keys() == {"segment/reachable"}
    assert labels["user_id:2"] == {}


def test_an_identifier_that_an_operator_linked_is_ones_own() -> None:
    member = segment("member", {"identifier": "phone"})
    world = World(library("UTC", rules_of({}), member, model_of(1, member)), 2, SMALL)
    for partition in world.partitions:
        partition.position["in_force"]["model"] = "model/main/1"
    visit = stated("Visit", START, "user_id:1", identifiers={"user_id": ["1"]})
    world.say([said(visit), said(linked(START + DAY, "user_id:1", "phone:1"))]).run(random.Random(1))
    (labels,) = [
        one["labels"] for state in world.states().values() for one in state.get("published", {}).values()
    ]
    assert labels.keys() == {"segment/member"}
