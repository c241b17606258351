from datetime import UTC, datetime
from typing import Any

import orjson

from deploy.definitions import backfill
from deploy.definitions.backfill import Batch, batches, index_of
from deploy.definitions.plan import plan
from processors.portrait.deltas import deltas
from projections.stated import Stated
from schemas.leaves import LeafStates, join
from tests.schemas.test_graph import segment

VISITS: dict[str, Any] = {"did": {"event": "Visit", "at_least": 2, "within": {"last_days": 30}}}
BRANDS: dict[str, Any] = {"distinct": {"event": ["Order", "View"], "property": "brand", "at_least": 2}}
MADE = plan({}, None, [segment("a", VISITS), segment("b", BRANDS)], None, 7)
INDEX = index_of(MADE.leaves, 7, "UTC")


def at(day: int) -> int:
    return int(datetime(2026, 1, day, 12, tzinfo=UTC).timestamp() * 1000)


def event(key: str, number: int, name: str = "Visit", **properties: Any) -> Stated:
    return Stated(key, "shop", f"m{number}", name, at(number), orjson.dumps(properties).decode())


def states(batch: Batch) -> dict[str, list[Any]]:
    return {to: [state["b"] for _, state in sorted(body["leaves"].items())] for to, body in batch.commands}


def test_what_an_identifiers_events_state_is_one_command() -> None:
    events = [
        event("a", 1),
        event("a", 3),
        event("a", 3, "Order", brand="x"),
        event("b", 2),
        event("c", 1, "Order"),
    ]
    (batch,) = batches(events, INDEX, "model/main/7")
    assert [to for to, _ in batch.commands] == ["a", "b"], "who states nothing gets none"
    assert batch.upto == "c", "and is not looked at again"
    body = dict(batch.commands)["a"]
    assert {**body, "leaves": 0} == {
        "v": 1, "kind": "backfill", "primary": "a", "leaves": 0, "model": "model/main/7",
    }  # fmt: skip
    assert {key.rpartition(".")[2] for key in body["leaves"]} == {"7"}
    day = at(3) // 86_400_000
    assert sorted(map(str, states(batch)["a"])) == sorted(
        [str({str(day - 2): 1, str(day): 1}), str({"x": day})]
    )


def test_it_is_what_the_fold_would_have_joined_event_by_event() -> None:
    events = [
        event("a", n, name, brand=f"b{n % 3}") for n in range(1, 20) for name in ("Visit", "View", "Order")
    ]
    live: LeafStates = {}
    for one in reversed(events):
        body = {"name": one.name, "occurred_at": one.occurred_at, "properties": orjson.loads(one.properties)}
        join(live, deltas(body, INDEX))  # type: ignore[arg-type]
    ((_, command),) = next(batches(events, INDEX, "m")).commands
    assert command["leaves"] == live


def test_a_batch_ends_with_a_whole_identifier(monkeypatch: Any) -> None:
    monkeypatch.setattr(backfill, "MOST", 2)
    events = [event(f"k{n:02}", day) for n in range(5) for day in (1, 2)]
    found = list(batches(events, INDEX, "m"))
    assert [[to for to, _ in batch.commands] for batch in found] == [["k00", "k01"], ["k02", "k03"], ["k04"]]
    assert [batch.upto for batch in found] == ["k01", "k03", "k04"]


def test_an_identifier_that_saw_everything_gets_several_commands(monkeypatch: Any) -> None:
    monkeypatch.setattr(backfill, "RECORD_BYTES", 1)
    (batch,) = batches([event("a", 1), event("a", 2, "View", brand="x")], INDEX, "m")
    assert [(to, len(body["leaves"])) for to, body in batch.commands] == [("a", 1), ("a", 1)]
    assert len({key for _, body in batch.commands for key in body["leaves"]}) == 2


def test_nothing_to_backfill_is_no_batch() -> None:
    assert list(batches([], INDEX, "m")) == []
