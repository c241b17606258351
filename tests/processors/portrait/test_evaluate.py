"""What is evaluated on what leaves remember is what the raw events say: at once, by touch, and as time goes by."""

from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from processors.calendar import Calendar
from processors.portrait import model
from processors.portrait.compiled import Compiled, Context, never
from processors.portrait.deltas import LeafIndex, deltas, leaf_index
from processors.portrait.evaluate import Found, evaluate, is_silent
from processors.portrait.index import before, touched
from processors.portrait.model import Portrait, Rule, compile_portrait
from processors.portrait.nobody import evaluate_new, nobody_of
from processors.portrait.subject import Subject
from processors.rules.facts import fold
from processors.rules.seen import digest_of
from schemas import leaves
from schemas.facts import Part, new_part, union
from schemas.portrait import Segment, TagRules
from tests.portrait_oracle import Customer, World, labels, scores, stage
from tests.portrait_strategies import DAY, NOON, Dice, history, world

UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)


class Live:
    """One customer, evaluated event by event."""

    def __init__(self, world: World) -> None:
        self.calendar = Calendar(world.timezone)
        needed = model.leaves(world.definitions)
        context = Context(self.calendar, dict.fromkeys(needed, 1))
        self.portrait: Portrait = compile_portrait(
            world.definitions, context, world.currency, world.rates, world.thresholds
        )
        self.index: LeafIndex = leaf_index(
            ((leaf, context.key_of(leaf)) for leaf in needed.values()), self.calendar
        )
        self.part: Part | None = None
        self.who: Subject | None = None
        self.due: dict[str, int] = {}
        self.aged = False
        self.touched: Collection[str] | None = None

    def take(self, event: Any) -> None:
        """Fold an event and evaluate what it touches, after what fell due before it."""
        self.until(event["occurred_at"])
        fresh = self.part is None
        part = self.part = self.part if self.part is not None else new_part(event["occurred_at"])
        was, states = before(part, event["name"]), deltas(event, self.index)
        fold(part, ["user_id:ada"], event, digest_of(event), self.calendar)
        leaves.join(part.setdefault("leaves", {}), states)
        now = event["occurred_at"] if self.who is None else max(self.who.now, event["occurred_at"])
        found = touched(self.portrait.touching, was, part, event, states, self.aged, several=False)
        self.touched = found
        self.evaluate(now, found, fresh)

    def until(self, now: int) -> None:
        while self.due and (at := min(self.due.values())) <= now:
            ids = [id_ for id_, due in self.due.items() if due == at]
            for id_ in ids:
                del self.due[id_]
            self.evaluate(at, ids)
        if self.who is not None and self.who.now < now:
            self.who = self.subject(now)

    def evaluate(self, now: int, ids: Any, fresh: bool = False) -> Found:
        self.who = self.subject(now)
        if fresh:
            found = evaluate_new(self.portrait, nobody_of(self.portrait, self.calendar), self.who, ids)
        else:
            found = evaluate(self.portrait, self.who, ids)
        assert found.failed == []
        assert all(at is None or at > now for at in found.due.values())
        due = [*self.due.items(), *found.due.items()]
        self.due = {id_: at for id_, at in dict(due).items() if at is not None}
        self.aged = is_silent(self.portrait, self.who) or self.aged
        return found

    def subject(self, now: int, part: Part | None = None) -> Subject:
        assert self.part is not None
        old, p = self.who, self.portrait
        mine = self.part if part is None else part
        who = Subject(mine, now, self.calendar.day_of(now), self.calendar, p.currency, p.rates)
        if old is not None:
            who.labels, who.stage, who.scores = old.labels, old.stage, old.scores
        return who


def expected(events: list[Any], now: int, world: World) -> Any:
    who = Customer(events, now, world)
    return labels(events, now, world), stage(who), scores(who)


def told(who: Subject | None) -> Any:
    assert who is not None
    return who.labels, who.stage, None if who.scores is None else tuple(who.scores)


def drawn(seed: int) -> tuple[World, list[Any], Dice]:
    d = Dice(seed)
    one = world(d, 1)
    return one, history(d, zone=one.timezone), d


@given(st.integers(0, 2**32))
@settings(max_examples=400, deadline=None, phases=UNSHRUNK)
def test_event_by_event_and_as_time_goes_by(seed: int) -> None:
    world, events, d = drawn(seed)
    live = Live(world)
    for number, event in enumerate(events):
        live.take(event)
        assert live.who is not None
        assert told(live.who) == expected(events[: number + 1], live.who.now, world)
    for days in sorted(d.number(0, 500) for _ in range(3)):
        live.until(NOON + days * DAY)
        assert told(live.who) == expected(events, NOON + days * DAY, world)


@given(st.integers(0, 2**32))
@settings(max_examples=200, deadline=None, phases=UNSHRUNK)
def test_the_union_of_parts_is_as_good(seed: int) -> None:
    world, events, d = drawn(seed)
    parts = [Live(world), Live(world)]
    for number, event in enumerate(events):
        parts[number % 2].take(event)
    whole = union([live.part for live in parts if live.part is not None])
    now, one = NOON + d.number(0, 400) * DAY, parts[0]
    one.who = None
    who = one.subject(now, whole)
    assert evaluate(one.portrait, who).failed == []
    assert told(who) == expected(events, now, world)


def fails(*_: Any) -> Any:
    raise ArithmeticError


def test_what_fails_on_somebody_counts_as_false_and_is_named() -> None:
    live = Live(
        World(definitions=(_segment("a", {"did": ["Visit"]}), _segment("b", {"not": {"segment": "a"}})))
    )
    rules = [
        rule._replace(values=(("", Compiled(fails, never)),)) if rule.id == "segment/a" else rule
        for rule in live.portrait.rules
    ]
    live.portrait = live.portrait._replace(rules=tuple(rules))
    live.part = {**new_part(NOON), "names": {"Visit": [1, NOON, NOON]}}
    who = live.subject(NOON)
    assert evaluate(live.portrait, who).failed == ["segment/a/1"]
    assert who.labels == {"segment/b": ""}


def test_a_leaf_that_fails_remembers_nothing_of_the_event_and_is_named() -> None:
    live, failed = Live(World(definitions=(_segment("a", {"did": {"event": "Visit"}}),))), list[str]()
    broken = [one._replace(stated=fails) for one in live.index.by_name["Visit"]]
    event: Any = {"name": "Visit", "occurred_at": NOON, "properties": {}}
    assert deltas(event, LeafIndex({"Visit": tuple(broken)}, live.calendar), failed) == {}
    assert failed == [broken[0].key]


def test_most_events_touch_nothing() -> None:
    definitions = [
        _segment("once", {"did": ["Page Viewed"]}),
        _segment("other", {"did": {"event": "Order Completed", "within": {"last_days": 30}}}),
        _segment("quiet", {"since": {"last": "own", "days": 30}}),
        _segment("filtered", {"sum": {"event": "Page Viewed", "property": "n", "at_least": 1}}),
    ]
    live = Live(World(definitions=tuple(definitions)))
    evaluated = list[Any]()
    for number in range(3):
        event: Any = {
            "v": 1, "type": "track", "name": "Page Viewed", "message_id": str(number), "source": "s", "channel": "web",
            "occurred_at": NOON + number, "received_at": NOON, "identifiers": {"user_id": ["ada"]}, "properties": {},
            "traits": {}, "context": {},
        }  # fmt: skip
        live.take(event)
        evaluated.append(live.touched)
    assert [set(ids) for ids in evaluated] == [{"segment/once", "segment/quiet"}, set(), set()]


def test_who_is_new_is_as_nobody_is_but_for_what_the_first_event_touches() -> None:
    definitions = [
        _segment("silent", {"not": {"did": ["Order Completed"]}}),
        _segment("came", {"did": ["Page Viewed"]}),
        _segment("known", {"identifier": ["user_id"]}),
        _segment("both", {"all": [{"segment": "silent"}, {"segment": "came"}]}),
        _segment("broken", {"did": ["Visit"]}),
        _segment("far", {"did": {"event": "Visit", "at_most": 3, "within": {"last_days": 30}}}),
    ]
    live, asked = Live(World(definitions=tuple(definitions))), list[str]()

    def noting(rule: Rule) -> Rule:
        ((value, compiled),) = rule.values
        assert compiled is not None
        held = fails if rule.id == "segment/broken" else compiled.test

        def test(who: Subject) -> bool:
            asked.append(rule.id)
            return bool(held(who))

        return rule._replace(values=((value, Compiled(test, never)),))

    live.portrait = live.portrait._replace(rules=tuple(map(noting, live.portrait.rules)))
    nobody = nobody_of(live.portrait, live.calendar)
    asked.clear()
    names, identifiers = {"Page Viewed": [1, NOON, NOON]}, {"user_id": {"ada": "user_id:ada"}}
    live.part = {**new_part(NOON), "names": names, "identifiers": identifiers}
    found = evaluate_new(live.portrait, nobody, live.subject(NOON), ["segment/came"])
    assert sorted(asked) == [f"segment/{name}" for name in ("both", "broken", "came", "known")]
    entered = [(rule.id, None, "") for rule in live.portrait.rules if rule.id != "segment/broken"]
    assert [(each.rule.id, each.was, each.now) for each in found.changed] == entered
    assert found.failed == ["segment/broken/1"]


def test_conditions_that_ask_the_same_of_an_event_have_it_added_up_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spent = {"event": "Order Completed", "property": "total", "within": {"last_days": 30}}
    values = [
        {"value": f"from_{least}", "when": {"sum": {**spent, "at_least": least}}} for least in (90, 60, 30)
    ]
    tag = TagRules.model_validate({"kind": "tag", "name": "spend", "version": 1, "values": values})
    live, added = Live(World(definitions=(tag,))), list[Any]()
    (key,) = live.portrait.touching.leaves
    amounts = {str(NOON // DAY - n): {"": "10"} for n in range(3)}
    live.part = {**new_part(NOON), "leaves": {key: {"m": "sum", "n": 30, "b": amounts}}}
    worth = Subject.worth

    def noting(who: Subject, amounts: Any) -> Any:
        added.append(amounts)
        return worth(who, amounts)

    monkeypatch.setattr(Subject, "worth", noting)
    who = live.subject(NOON)
    evaluate(live.portrait, who)
    assert who.labels == {"tag/spend": "from_30"}
    assert len(added) == 3


def _segment(name: str, when: dict[str, Any]) -> Segment:
    return Segment.model_validate({"kind": "segment", "name": name, "version": 1, "when": when})
