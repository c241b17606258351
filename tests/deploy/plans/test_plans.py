"""What publishing a tracking plan makes of what is there, and what trying it finds."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from deploy.plans import shown, trial
from deploy.plans.change import following
from deploy.plans.trial import MAX_RULES, OTHERS, Broken, Rule, Trial, tried
from ingest.plan import Compiled, compiled
from projections.planned import Rejected, Taken
from schemas import plan as plans
from schemas.plan import Planned
from tests.ingest.desks import ANY, NOW


def planned(*events: dict[str, Any], unplanned: str = "accept") -> Planned:
    document = {"kind": "plan", "source": "shop", "unplanned": unplanned, "events": list(events)}
    return plans.parse(document, "plan.yaml")


def sent(number: int, name: str = "E", version: Any = None, **properties: Any) -> Taken:
    return Taken(name, f"m{number}", version, properties, {}, {"user_id": ["ada"]})


REQUIRES = planned({"name": "E", "on_violation": "reject", "properties": {"required": ["a"]}})


def test_a_plan_is_the_next_version_and_the_same_one_is_none() -> None:
    first, new = following(None, REQUIRES, 5, "why")
    assert (plans.key_of(first), new, first.published_at, first.because) == ("plan/shop/1", True, 5, "why")
    assert following(first, REQUIRES, 6, "again") == (first, False)
    second, new = following(first, planned(), 6, "no more")
    assert (second.version, second.events, new) == (2, (), True)
    assert following(second, REQUIRES, 7, "back")[0].version == 3


def test_a_trial_counts_events_and_rules_with_some_of_their_ids() -> None:
    both = planned(
        {"name": "E", "version": 1, "properties": {"required": ["a", "b"]}},
        {"name": "E", "version": 2, "properties": {"required": ["a"]}, "on_violation": "reject"},
    )
    events = [
        *(sent(n, version=1) for n in range(5)),
        sent(5, version=1, a=0),
        sent(6),
        sent(7, a=0),
        sent(8, "F"),
    ]
    found = tried(compiled(both), events)
    assert (found.events, found.rejected, found.marked) == (9, 1, 6)
    assert {rule: (broken.events, broken.examples) for rule, broken in found.rules.items()} == {
        Rule("E@1 /properties/a required", False): (5, ["m0", "m1", "m2"]),
        Rule("E@1 /properties/b required", False): (6, ["m0", "m1", "m2"]),
        Rule("E@2 /properties/a required", True): (1, ["m6"]),
    }


def test_unplanned_names_without_end_do_not_fill_the_memory() -> None:
    found = tried(compiled(planned(unplanned="mark")), (sent(n, f"F{n}") for n in range(MAX_RULES + 5)))
    assert len(found.rules) == MAX_RULES + 1
    assert found.rules[Rule(OTHERS, False)].events == 5


def again(plan: Compiled, *messages: bytes) -> tuple[int, int]:
    found, at = Trial(), replace(ANY, plan=plan)
    trial.try_again(found, at, [Rejected(message, NOW) for message in messages])
    return found.again, found.accepted


def test_what_was_rejected_is_taken_in_again() -> None:
    def message(**properties: Any) -> bytes:
        body = {"type": "track", "event": "E", "userId": "ada", "messageId": "m", "properties": properties}
        return orjson.dumps(body)

    assert again(compiled(REQUIRES), message(), message(a=1), b"[]", b"{", b"") == (5, 1)


def test_of_an_unknown_version_those_that_there_are_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    of = planned(*({"name": "E", "version": v, "on_violation": "reject"} for v in (10, 2)))
    shown.trial(of, tried(compiled(of), [sent(1, version=3)]), 7)
    assert "  rejected         1  E version: the plan has 2, 10\n" in capsys.readouterr().out


def test_what_is_told_of_a_trial_is_whole_on_any_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    name = "Order Completed@2 /properties/products/*/a_rather_long_name_of_a_property required\x1b[0m"
    found = Trial(12_345, 1_200, 33, {Rule("Hover unplanned", False): Broken(33, ["a"])}, again=7, accepted=3)
    found.rules[Rule(name, True)] = Broken(1_200, ["m1", "m2"])
    shown.trial(planned(), found, 7)
    assert capsys.readouterr().out.splitlines() == [
        "12,345 events of shop in 7 days: 1,200 would be rejected, 33 accepted and marked",
        "3 of 7 that plans rejected meanwhile would be accepted now",
        f"  rejected     1,200  {name[:-4]}\\x1b[0m",
        "                      as m1, m2",
        "  marked          33  Hover unplanned",
        "                      as a",
    ]
