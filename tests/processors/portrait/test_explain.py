"""An explanation is true, names events that turn the answer when they are gone, and the time that turns it."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.calendar import Calendar
from processors.portrait.asking import World
from processors.portrait.explain import Answer, Explainer
from processors.portrait.history import Happened
from schemas.conditions import OPERATORS, Condition
from schemas.portrait import TagRules
from tests import portrait_oracle as oracle
from tests.portrait_oracle import Customer
from tests.portrait_strategies import (
    ALL_KNOWN,
    CONDITION,
    DAY,
    NOON,
    Chooser,
    Dice,
    Drawn,
    Json,
    history,
    operator,
    world,
)

LAST = int(datetime(9999, 12, 30, tzinfo=UTC).timestamp() * 1000)
RARE = ("sum", "max", "interest", "sequence")
"""Seldom hold of what is drawn."""


def explainer(of: oracle.World, events: list[Json], d: Chooser | None = None) -> Explainer:
    keys = ("user_id:ada", "email:ada")
    happened = [Happened([d.pick(keys) if d else keys[0]], event) for event in events]  # type: ignore[arg-type]
    return Explainer(
        World(Calendar(of.timezone), of.currency, of.definitions, of.rates, of.thresholds), happened, NOON
    )


def name(event: Json) -> str:
    return f"{event['source']}/{event['message_id']}"


def check(condition: Condition, answer: Answer, events: list[Json], of: oracle.World) -> None:
    """The root of an explanation is what the oracle says of these events, of the others, and of later times."""
    assert answer.holds is oracle.holds(condition, events, NOON, of)
    assert {*answer.events} <= {*map(name, events)}
    left = [event for event in events if name(event) not in answer.events]
    if answer.events and left:
        assert oracle.holds(condition, left, NOON, of) is not answer.holds
    if answer.events and not left:
        assert explainer(of, []).explain(condition).holds is not answer.holds
    if answer.changes_at is not None and answer.changes_at < LAST:
        assert oracle.holds(condition, events, answer.changes_at - 1, of) is answer.holds
        assert oracle.holds(condition, events, answer.changes_at, of) is not answer.holds


def test_every_operator_is_explained_as_the_oracle_answers_and_turns_without_the_named_events() -> None:
    seen = Counter[tuple[str, bool]]()
    for seed in range(150):
        d = Dice(seed)
        of = world(d, 1)
        events = history(d, most=14, zone=of.timezone)
        explains = explainer(of, events, d)
        for one in (*OPERATORS, *RARE * 4):
            condition = CONDITION.validate_python(operator(d, one, ALL_KNOWN))
            answer = explains.explain(condition)
            check(condition, answer, events, of)
            seen[one, answer.holds] += bool(answer.events)
    assert {one for one in OPERATORS if not seen[one, True]} == set(), "held, and named why"


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_a_fault_in_an_explanation_is_found_small(data: Any) -> None:
    d = Drawn(data.draw)
    of = world(d, 1)
    events = history(d, most=6, zone=of.timezone)
    condition = CONDITION.validate_python(operator(d, d.pick(list(OPERATORS)), ALL_KNOWN))
    check(condition, explainer(of, events, d).explain(condition), events, of)


def test_stage_tag_and_tier_are_the_oracles() -> None:
    for seed in range(40):
        d = Dice(seed)
        of = world(d, 1)
        events = history(d, most=14, zone=of.timezone)
        explains, labels = explainer(of, events), oracle.labels(events, NOON, of)
        assert explains.stage() == oracle.stage(Customer(events, NOON, of))
        assert explains.tier() == labels.get("value/value")
        tags = [each.name for each in of.definitions if isinstance(each, TagRules)]
        assert [explains.tag(tag) for tag in tags] == [labels.get(f"tag/{tag}") for tag in tags]


def test_without_a_change_told_time_changes_nothing() -> None:
    for seed in range(0, 60, 6):
        d = Dice(seed)
        of = world(d, 1)
        events = history(d, most=8, zone=of.timezone)
        explains = explainer(of, events)
        for one in OPERATORS:
            condition = CONDITION.validate_python(operator(d, one, ALL_KNOWN))
            answer = explains.explain(condition)
            if answer.changes_at is None:
                later = [oracle.holds(condition, events, NOON + n * DAY, of) for n in range(1, 420, 19)]
                assert {*later} == {answer.holds}


def event(number: int, kind: str, days_ago: int = 0, **properties: Any) -> Json:
    at = NOON - days_ago * DAY - 1_000_000 + number
    return {
        "v": 1, "type": "track", "name": kind, "message_id": f"m{number}", "source": "shop", "channel": "web",
        "occurred_at": at, "received_at": at, "identifiers": {"user_id": ["ada"]}, "properties": properties,
        "traits": {}, "context": {},
    }  # fmt: skip


def explain(condition: Json, *events: Json) -> Answer:
    return explainer(oracle.World(), [*events]).explain(CONDITION.validate_python(condition))


def parts(answer: Answer) -> Iterator[Answer]:
    yield answer
    for part in answer.parts:
        yield from parts(part)


def test_what_counts_up_rests_on_all_that_counted_in_its_window() -> None:
    condition = {"did": {"event": "Visit", "at_least": 2, "within": {"last_days": 30}}}
    answer = explain(condition, *(event(n, "Visit", days) for n, days in enumerate((1, 40, 2, 29))))
    assert (answer.holds, answer.value, answer.events) == (True, 3, ("shop/m3", "shop/m2", "shop/m0"))
    assert answer.changes_at is not None
    assert (answer.changes_at - NOON) // DAY == 27  # the second oldest visit leaves


def test_what_is_too_much_rests_on_the_newest_beyond_the_bound() -> None:
    condition = {"did": {"event": "Visit", "at_least": 1, "at_most": 2}}
    answer = explain(condition, *(event(n, "Visit", 9 - n) for n in range(4)))
    assert (answer.holds, answer.value, answer.events) == (False, 4, ("shop/m2", "shop/m3"))


def test_what_did_not_happen_names_nothing() -> None:
    answer = explain({"not": {"did": ["Order Completed"]}}, event(1, "Visit"))
    assert (answer.holds, answer.events, answer.changes_at) == (True, (), None)


def test_all_rests_on_its_easiest_part_and_any_on_all_that_hold() -> None:
    visited, viewed = {"did": ["Visit"]}, {"did": ["Product Viewed"]}
    happened = [event(1, "Visit"), event(2, "Visit"), event(3, "Product Viewed")]
    assert explain({"all": [visited, viewed]}, *happened).events == ("shop/m3",)
    assert explain({"any": [visited, viewed, {"did": ["Signed Up"]}]}, *happened).events == (
        "shop/m1",
        "shop/m2",
        "shop/m3",
    )


def test_an_interest_that_is_outranked_rests_on_what_outranks_it() -> None:
    condition = {"interest": {"event": "Product Viewed", "property": "category", "is": ["music"], "top": 1}}
    seen = [event(n, "Product Viewed", category=c) for n, c in enumerate(("music", "books", "books"))]
    answer = explain(condition, *seen)
    assert (answer.holds, answer.value) == (False, {"books": 2.0, "music": 1.0})
    assert answer.events == ("shop/m1", "shop/m2")


def test_a_sequence_rests_on_its_chains_and_on_what_came_in_between() -> None:
    condition: Json = {
        "sequence": {
            "steps": [{"event": "Product Viewed"}, {"event": "Order Completed"}],
            "within": {"days": 7},
        }
    }
    happened = [event(1, "Product Viewed", 3), event(2, "Visit", 2), event(3, "Order Completed", 1)]
    assert explain(condition, *happened).events == ("shop/m1", "shop/m3")
    condition["sequence"]["without"] = {"event": "Visit"}
    answer = explain(condition, *happened)
    assert (answer.holds, answer.events) == (False, ("shop/m2",))


def test_a_segment_that_names_another_is_told_with_the_others_tree() -> None:
    of = oracle.World(
        definitions=(
            TagRules.model_validate(
                {
                    "kind": "tag", "name": "rhythm", "version": 1,
                    "values": [
                        {"value": "often", "when": {"did": {"event": "Visit", "at_least": 3}}},
                        {"value": "once", "when": {"did": ["Visit"]}},
                    ],
                }
            ),
        )
    )  # fmt: skip
    condition = CONDITION.validate_python({"tag": {"name": "rhythm", "is": ["once"]}})
    answer = explainer(of, [event(1, "Visit"), event(2, "Visit")]).explain(condition)
    assert (answer.holds, answer.value, answer.says) == (True, "once", "tag rhythm is once")
    assert [(part.says, part.holds) for part in parts(answer)] == [
        ("tag rhythm is once", True),
        ("did Visit", True),
        ("not often", True),
        ("did Visit at least 3 times", False),
    ]
