"""A worker that is killed while it puts a model in force goes on under that one, not under the one before."""

from typing import Any

import orjson
import pytest

from processors import chunk
from schemas.changes import SEGMENT_CHANGED
from schemas.portrait import Segment
from tests.portrait_oracle import World as Definitions
from tests.processors.events import Said, at, customer, event, marker
from tests.processors.labels import model_of
from tests.processors.machine import Crash, Machine, delivered, library

DAY = at("2026-03-01")
WHO = ("ada", "bob", "cleo", "dan")


def segment(name: str, days: int) -> Segment:
    when = {"did": {"event": "Visit", "within": {"last_days": days}}}
    return Segment.model_validate({"kind": "segment", "name": name, "version": 1, "when": when})


def machine() -> Machine:
    """Four who came while a second model was collected beside the first."""
    old, new = Definitions(definitions=(segment("old", 30),)), Definitions(definitions=(segment("new", 60),))
    models = model_of(old, 1), model_of(new, 2)
    made = Machine()
    made.library = library("UTC", *old.definitions, *new.definitions, *models)
    made.position["in_force"]["model"] = "model/main/1"
    visits = [event("Visit", DAY + n, who=who) for n, who in enumerate(WHO)]
    return made.feed(marker("collecting", "model/main/2"), *visits)


def moves(made: Machine, who: str) -> list[str]:
    told = [c.body for c in made.changes if c.type == SEGMENT_CHANGED and c.customer_id == customer(who)]
    return [f"{body['change']} {body['name']}" for body in told]


def sent_on(who: str) -> Any:
    """An event of an identifier of theirs that was a Link."""
    said = event("Visit", DAY + 99, who=who, id_="sent on")
    body = {**orjson.loads(said.value), "identifiers": {"email": [who]}}
    return delivered(Said(f"email:{who}", orjson.dumps(body), f"email:{who}"))


@pytest.mark.parametrize("slices", range(5))
def test_commands_between_its_slices_are_folded_under_the_new_model(
    monkeypatch: pytest.MonkeyPatch, slices: int
) -> None:
    monkeypatch.setattr(chunk, "SLICE", 1)
    made = machine()
    assert {who: moves(made, who) for who in WHO} == {who: ["entered old"] for who in WHO}
    made.crash_at = made.turns + slices + 1
    with pytest.raises(Crash):
        made.feed(marker("model", "model/main/2"))
    for who in WHO:
        made.tell(who, sent_on(who))
    made.crash_at = None
    made.run()
    assert {who: moves(made, who) for who in WHO} == {
        who: ["entered old", "left old", "entered new"] for who in WHO
    }
    assert made.position["in_force"]["model"] == "model/main/2"
    assert "collecting" not in made.position["in_force"]
    assert len({change.id for change in made.changes}) == len(made.changes)
    kept = {key for part in made.parts().values() for mine in part.values() for key in mine.get("leaves", {})}
    assert {key.rpartition(".")[2] for key in kept} == {"2"}
