"""Conditions in ClickHouse, in the fold and by the oracle: one answer, of every operator, for every customer.

Hypothesis draws the definitions; the customers with their histories are stored once. `CDP_TEST_CONDITIONS=N` draws N
sets of definitions, `CDP_TEST_SEED=S` other customers.
"""

import os
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from clickhouse_driver import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from processors.calendar import Calendar
from projections import conditions
from projections.conditions import Context
from projections.connect import connect
from projections.migrate import migrate
from schemas.conditions import OPERATORS
from schemas.graph import Defined, name_of
from schemas.portrait import Role, Segment, TagRules, Thresholds, Value
from tests import portrait_oracle
from tests.portrait_oracle import Customer, World
from tests.portrait_strategies import ALL_KNOWN, DAY, NOON, Drawn, operator, world
from tests.projections.conftest import Server, settings_for
from tests.projections.crowd import Answers, One, by_fold, crowd, customers, keys_of, store

EXAMPLES = int(os.environ.get("CDP_TEST_CONDITIONS", "8"))
SEED = int(os.environ.get("CDP_TEST_SEED", "1"))
CUSTOMERS = crowd(SEED, 120, "America/New_York")
UTC = Calendar("UTC")
TIMES = (NOON, NOON - 3 * DAY, NOON + 6 * DAY, NOON + 400 * DAY)


@pytest.fixture(scope="module")
def stored(clickhouse: Server) -> Iterator[Client]:
    """All customers are in ClickHouse."""
    settings = settings_for(clickhouse)
    migrate(settings)
    with connect(settings) as client:
        store(client, CUSTOMERS, UTC)
        yield client


@st.composite
def worlds(draw: Any) -> World:
    """Definitions that refer to each other, and two segments of every operator."""
    chooser = Drawn(draw)
    drawn = world(chooser)
    tried = [
        segment(f"{x}_{name}", operator(chooser, name, ALL_KNOWN, 1)) for x in "xy" for name in OPERATORS
    ]
    return drawn._replace(definitions=(*drawn.definitions, *tried))


def segment(name: str, when: Any) -> Segment:
    return Segment(kind="segment", name=name, version=1, when=when)


def context_of(world: World, now: int) -> Context:
    return Context(now, world.timezone, world.currency, world.definitions, world.rates, world.thresholds)


def by_clickhouse(client: Client, world: World, now: int) -> Answers:
    rows = conditions.ask(client, conditions.labels(context_of(world, now)))
    return {str(who): (stage, dict(sorted(labels)), list(scores)) for who, stage, labels, scores in rows}


def by_oracle(known: dict[str, Customer]) -> Answers:
    return {
        who: (
            portrait_oracle.stage(one),
            dict(sorted(portrait_oracle.labels(one.events, one.now, one.world).items())),
            [*(portrait_oracle.scores(one) or (0, 0, 0))],
        )
        for who, one in known.items()
    }


def test_every_condition_has_one_answer(stored: Client) -> None:
    outcomes = Counter[tuple[str, bool]]()

    # the condition and the customer are told anyway: what fails need not be made smaller, which takes minutes
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(worlds(), st.sampled_from(TIMES))
    def one_answer(world: World, now: int) -> None:
        expected = by_oracle(customers(CUSTOMERS, world, now))
        same(by_clickhouse(stored, world, now), expected, world)
        same(by_fold(CUSTOMERS, world, now), expected, world)
        for _, labels, _ in expected.values():
            outcomes.update((name, f"segment/{x}_{name}" in labels) for x in "xy" for name in OPERATORS)

    one_answer()
    never = [
        (name, outcome) for name in OPERATORS for outcome in (True, False) if not outcomes[name, outcome]
    ]
    assert not never, "operators and outcomes that were never drawn"


def same(answers: Answers, expected: Answers, world: World) -> None:
    """Say of the first customer with another answer what is asked and of which events."""
    assert answers.keys() == expected.keys()
    asked = {f"{each.kind}/{each.name}": each for each in world.definitions}
    for one in CUSTOMERS:
        (stage, labels, scores), (true_stage, true_labels, true_scores) = answers[one.id], expected[one.id]
        wrong = {name for name, _ in labels.items() ^ true_labels.items()}
        which = [asked[name].model_dump_json(exclude_none=True, by_alias=True) for name in sorted(wrong)]
        assert not wrong, (which, labels, true_labels, world[:4], one)
        assert (stage, scores) == (true_stage, true_scores), (world, one)


WORLD = World(definitions=(
    segment("web", {"channel": {"of": ["web"]}}),
    segment("seen", {"did": {"event": "Page Viewed", "where": [{"property": "sku", "exists": True}]}}),
    Role(kind="role", name="buyer", version=1, when={"count": {"of": "purchases", "at_least": 1}}),
    TagRules(kind="tag", name="mood", version=1, values=[
        {"value": "red", "when": {"latest": {"event": "Page Viewed", "property": "n", "is": "red"}}},
        {"value": "other", "when": {"segment": "seen"}},
    ]),
    Value(kind="value", name="value", version=1, frequency={"event": "Visit"}, tiers=[{"tier": "all", "points": 0}]),
))  # fmt: skip
CONTEXT = context_of(WORLD, NOON)
THRESHOLDS = Thresholds(
    kind="thresholds", name="value", version=1, relationship=(1, 5, 20, 100), frequency=(1, 2, 4, 8),
    monetary=(Decimal("0.01"), Decimal(10), Decimal("20.5"), Decimal(50)), customers=5, computed_at=0,
)  # fmt: skip


def named(name: str) -> Defined:
    return next(each for each in WORLD.definitions if each.name == name)


@pytest.mark.parametrize("name", ["web", "seen", "buyer", "mood"])
def test_members_counts_and_samples_are_of_the_same_customers(stored: Client, name: str) -> None:
    definition = named(name)
    label = f"{definition.kind}/{name}"
    expected = {who: labels[label] for who, (labels) in labels_of(WORLD).items() if label in labels}
    assert expected
    found = dict(conditions.ask(stored, conditions.members(definition, CONTEXT)))
    assert {str(who): value for who, value in found.items()} == expected
    assert dict(conditions.ask(stored, conditions.count(definition, CONTEXT))) == Counter(expected.values())
    sample = conditions.ask(stored, conditions.sample(definition, CONTEXT, 3))
    assert len(sample) == 3
    assert all(expected[str(who)] == value for who, value, _ in sample)
    assert all(identifiers for _, _, identifiers in sample)
    assert sample == conditions.ask(stored, conditions.sample(definition, CONTEXT, 3))
    for value, number, some in conditions.ask(stored, conditions.preview(definition, CONTEXT, 3)):
        assert number == Counter(expected.values())[value]
        assert len(some) == min(number, 3)
        assert {expected[str(who)] for who in some} == {value}


def labels_of(world: World) -> dict[str, dict[str, str]]:
    found = customers(CUSTOMERS, world, NOON)
    return {who: portrait_oracle.labels(one.events, one.now, world) for who, one in found.items()}


def test_the_difference_is_who_enters_who_leaves_and_whose_value_changes(stored: Client) -> None:
    mood = named("mood")
    assert isinstance(mood, TagRules)
    values = [
        *mood.values[:1],
        mood.values[1].model_copy(update={"when": segment("s", {"segment": "web"}).when}),
    ]
    later = mood.model_copy(update={"version": 2, "values": tuple(values)})
    after = WORLD._replace(definitions=(named("web"), later))
    rows = conditions.ask(
        stored, conditions.difference(mood, later, context_of(after, NOON), context_of(WORLD, NOON))
    )
    old, new = ({who: labels.get("tag/mood") for who, labels in labels_of(w).items()} for w in (WORLD, after))
    assert {str(who): (was, becomes) for who, was, becomes in rows} == {
        who: (old[who], new[who]) for who in old if old[who] != new[who]
    }
    assert rows
    begun = conditions.ask(stored, conditions.difference(None, later, context_of(after, NOON)))
    assert {str(who): becomes for who, was, becomes in begun if was is None} == {
        k: v for k, v in new.items() if v
    }


def test_the_difference_of_value_gone_is_everybody_who_has_a_tier(stored: Client) -> None:
    value, before = named("value"), WORLD._replace(thresholds=THRESHOLDS)
    after = WORLD._replace(definitions=(named("web"),))
    rows = conditions.ask(
        stored, conditions.difference(value, None, context_of(after, NOON), context_of(before, NOON))
    )
    tiers = {who: labels.get(name_of(value)) for who, labels in labels_of(before).items()}
    assert {str(who): was for who, was, _ in rows} == {who: tier for who, tier in tiers.items() if tier}
    assert rows


def test_what_scores_are_made_of(stored: Client) -> None:
    value = named("value")
    assert isinstance(value, Value)
    rows = conditions.ask(stored, conditions.measured(value, CONTEXT))
    expected = {
        who: found
        for who, one in customers(CUSTOMERS, WORLD, NOON).items()
        if (found := portrait_oracle.measures(value, one)) is not None
    }
    assert {str(who): (days, number, money) for who, days, number, money in rows} == expected


def view(number: int, at: int, **properties: Any) -> dict[str, Any]:
    return {
        "v": 1, "type": "track", "name": "Page Viewed", "message_id": f"m{number:05}", "source": "web",
        "channel": "web", "occurred_at": at, "received_at": at, "identifiers": {"user_id": ["busy"]},
        "properties": properties, "traits": {}, "context": {},
    }  # fmt: skip


def test_bounds_of_memory_are_the_same_everywhere(client: Client) -> None:
    """1,100 distinct values, 130 interests, and steps of which a sequence looks at the newest 100."""
    first = NOON - 10 * DAY
    events = [
        view(n, first + n, sku=[f"s{n * 100 + k:05}" for k in range(100)], n=f"i{n % 130:03}")
        for n in range(11)
    ]
    events += [view(n, first + n * 1_000, n=f"i{n % 130:03}") for n in range(20, 280)]
    events += [view(500, NOON - 1, step="end")]
    busy = One([keys_of(events[0])[0]], events, NOON)
    step, end = (
        {"event": "Page Viewed", "where": [{"property": "n", "exists": True}]},
        {"property": "step", "is": "end"},
    )
    of = {"event": "Page Viewed", "property": "sku"}
    seen = {"event": "Page Viewed", "property": "n"}
    minutes = {**step, "where": [{"property": "n", "is": "i021"}]}
    asked: list[tuple[dict[str, Any], bool]] = [
        ({"distinct": {**of, "at_least": 1_000}}, True),
        ({"distinct": {**of, "at_most": 999}}, False),
        ({"interest": {**seen, "is": ["i099"], "at_least": 1}}, True),
        ({"interest": {**seen, "is": ["i100"], "at_least": 1}}, False),  # the 101st in alphabetical order
        ({"interest": {**seen, "is": ["i002"], "top": 3}}, True),
        ({"interest": {**seen, "is": ["i003"], "top": 3}}, False),
        ({"sequence": {"steps": [step, {"event": "Page Viewed", "where": [end]}], "within": {"days": 11}}}, True),
        ({"sequence": {"steps": [minutes, step], "within": {"minutes": 3}}}, True),
        ({"sequence": {"steps": [{**step, "where": [{"property": "sku", "exists": True}]}, step],
                       "within": {"minutes": 2}}}, False),  # the second step's newest 100 are all later
    ]  # fmt: skip
    world = World(definitions=tuple(segment(f"s{n}", when) for n, (when, _) in enumerate(asked)))
    store(client, [busy], UTC)
    expected = {f"segment/s{n}": "" for n, (_, holds) in enumerate(asked) if holds}
    (oracle,) = by_oracle_labels(busy, world)
    assert oracle == expected
    (fold,) = by_fold([busy], world, NOON).values()
    assert fold[1] == expected
    (sql,) = by_clickhouse(client, world, NOON).values()
    assert sql[1] == expected


def by_oracle_labels(one: One, world: World) -> list[dict[str, str]]:
    return [portrait_oracle.labels(one.events, NOON, world)]


def test_what_was_refused_or_stated_by_an_operator_is_no_event(client: Client) -> None:
    events = [view(1, NOON, n=1), view(2, NOON + 1, n=1), view(3, NOON + 2, n=1)]
    store(client, [One(["user_id:busy"], events[:1], NOON + 2)], UTC)
    store_events(client, [events[1] | {"type": "link"}, events[2]])
    world = World(definitions=(segment("s", {"did": {"event": "Page Viewed", "exactly": 1}}),))
    members = conditions.members(world.definitions[0], context_of(world, NOON))
    assert not conditions.ask(client, members)
    client.execute(
        "INSERT INTO rejected_raw (place, kafka_topic, received_at) VALUES",
        [("cdp.test.v1/0/1", "cdp.rejected.v1", 0)],
    )
    assert len(conditions.ask(client, members)) == 1


def store_events(client: Client, events: list[dict[str, Any]]) -> None:
    rows = [
        (
            "user_id:busy",
            "web",
            e["message_id"],
            e["type"],
            e["name"],
            e["occurred_at"],
            "{}",
            "cdp.test.v1",
            n,
        )
        for n, e in enumerate(events)
    ]
    client.execute(
        "INSERT INTO events_raw "
        "(key, source, message_id, type, name, occurred_at, properties, kafka_topic, kafka_offset) VALUES",
        rows,
    )
