"""What a simulation says of a log: the oracle's customers and refusals, and what other rules would change."""

import random
from typing import Any

import orjson
import pytest

from processors.simulation import Outcome, Stated, compare, contradictions, largest, simulate, take
from schemas.identity import IdentityRules
from tests import identity_oracle as oracle

NAMES = ("user_id", "membership_card", "phone", "email", "device_id", "anonymous_id")


def rules(**changed: dict[str, Any]) -> IdentityRules:
    """Rules of these namespaces: one user_id a customer, devices are shared."""
    basic: dict[str, dict[str, Any]] = {
        "user_id": {"unique": True, "limit": 50},
        "device_id": {"shared": True},
    }
    namespaces = [{"name": name, **basic.get(name, {}), **changed.get(name, {})} for name in NAMES]
    return IdentityRules.model_validate(
        {"kind": "identity", "name": "t", "version": 1, "namespaces": namespaces}
    )


def event(number: int, *keys: str, says: str | None = None, by_operator: bool = False) -> oracle.Stated:
    """One event; its number is its time and id."""
    body: dict[str, Any] = {"type": "track", "message_id": f"m{number}", "source": "s", "occurred_at": number}
    if says:
        body |= {"type": "link" if by_operator else "alias", "says": [says, *keys[:2]]}
    return oracle.Stated(list(keys), body)


def stated(*log: oracle.Stated) -> Stated:
    found = Stated()
    for keys, body in log:
        take(found, keys, orjson.loads(orjson.dumps(body)))
    return found


def groups(outcome: Outcome) -> list[list[str]]:
    return sorted(outcome.groups.values())


A, B, C = "user_id:1", "user_id:2", "user_id:3"
MAIL, CARD, TABLET, VISIT = "email:1", "membership_card:1", "device_id:1", "anonymous_id:1"


def _random_log(dice: random.Random) -> list[oracle.Stated]:
    keys = [f"{name}:{value}" for name in NAMES for value in range(1, 4)]
    log = []
    for number in range(dice.randint(1, 40)):
        some = sorted(dice.sample(keys, dice.choice([1, 1, 2, 2, 3])), key=keys.index)
        says = dice.choice(["alias", "split"]) if len(some) == 2 and dice.random() < 0.2 else None
        log.append(event(number, *some, says=says, by_operator=dice.random() < 0.5))
    dice.shuffle(log)
    return log


@pytest.mark.parametrize("seed", range(300))
def test_it_says_what_the_oracle_says(seed: int) -> None:
    dice = random.Random(seed)
    log, limit = _random_log(dice), {"limit": dice.choice([1, 2, 20])}
    chosen = rules(phone=limit, email=limit, device_id=limit)
    plain = {
        n.name: {"rank": place, "unique": n.unique, "shared": n.shared, "limit": n.limit}
        for place, n in enumerate(chosen.namespaces)
    }
    expected, refused = oracle.customers(log, plain)
    found = stated(*log)
    outcome = simulate(found, chosen)
    assert outcome.customers == len(expected)
    assert {frozenset(group) for group in outcome.groups.values()} == {
        customer.members for customer in expected if len(customer.members) > 1
    }
    assert {tuple(pair.split(" ")) for pair in outcome.refused} == refused
    sizes = {customer.members: len(customer.events) for customer in expected}
    for _, group, events in largest(found, outcome, 100):
        assert sizes[frozenset(group)] == events


def test_the_same_log_twice_states_the_same() -> None:
    log = _random_log(random.Random(7))
    once, twice = stated(*log), stated(*log, *reversed(log))
    assert (once.links, once.said) == (twice.links, twice.said)


def test_an_alias_of_two_that_a_greater_was_sent_with() -> None:
    alias = event(1, A, B, C)
    alias.body["says"] = ["alias", B, C]
    outcome = simulate(stated(alias, event(2, B), event(3, C)), rules())
    assert groups(outcome) == [[B, C]]
    assert outcome.refused.keys() == {f"{A} {B}", f"{A} {C}"}


def test_what_operators_state_is_nobody_s_event() -> None:
    found = stated(event(1, A), event(2, A, MAIL, says="alias", by_operator=True))
    outcome = simulate(found, rules())
    assert (outcome.customers, largest(found, outcome, 9)) == (1, [(A, [A, MAIL], 1)])


def test_what_a_bot_sent_states_nothing() -> None:
    bot = event(2, A, MAIL)
    bot.body["bot"] = True
    found = stated(event(1, A), bot)
    assert (found.events, found.links) == ({A: 1}, {})


def test_rules_that_let_more_join_merge_customers_and_end_conflicts() -> None:
    found = stated(event(1, A, MAIL), event(2, B, MAIL), event(3, C))
    now, then = simulate(found, rules()), simulate(found, rules(user_id={"unique": False}))
    assert (now.customers, now.refused) == (3, {f"{B} {MAIL}": "unique"})
    difference = compare(found, now, then)
    assert then.customers == 2
    assert difference.merged == {A: [A, B]}
    assert (difference.parted, difference.refused, difference.joined) == ({}, {}, frozenset([f"{B} {MAIL}"]))


def test_rules_that_let_fewer_join_part_customers_and_bring_conflicts() -> None:
    found = stated(event(1, A, CARD), event(2, CARD, MAIL), event(3, "membership_card:2", MAIL))
    now = simulate(found, rules())
    then = simulate(found, rules(membership_card={"unique": True}))
    difference = compare(found, now, then)
    assert (now.customers, then.customers) == (1, 2)
    assert difference.parted == {A: [A, "membership_card:2"]}
    assert difference.refused == {f"membership_card:2 {MAIL}": "unique"}
    assert (difference.merged, difference.joined) == ({}, frozenset())


def test_a_lower_limit_makes_an_identifier_crowded_and_parts_who_met_through_it() -> None:
    found = stated(*(event(n, f"membership_card:{n}", MAIL) for n in range(3)))
    now, then = simulate(found, rules()), simulate(found, rules(email={"limit": 2}))
    assert (now.customers, now.crowded) == (1, frozenset())
    assert (then.customers, then.crowded) == (3, frozenset([MAIL]))
    assert list(compare(found, now, then).parted.values()) == [[f"membership_card:{n}" for n in range(3)]]


def test_the_same_rules_change_nothing() -> None:
    found = stated(*_random_log(random.Random(3)))
    outcome = simulate(found, rules())
    assert compare(found, outcome, simulate(found, rules())) == ({}, {}, {}, frozenset())


def test_a_set_that_the_workers_would_not_let_grow_is_told() -> None:
    found = stated(*(event(n, f"phone:{n}", f"phone:{n + 1}") for n in range(1, 600)))
    assert list(simulate(found, rules()).too_large.values()) == [600]


def _changed(*namespaces: dict[str, Any]) -> IdentityRules:
    return IdentityRules.model_validate(
        {"kind": "identity", "name": "t", "version": 2, "namespaces": namespaces}
    )


def test_keys_go_on_meaning_what_they_mean() -> None:
    now = _changed({"name": "user_id"}, {"name": "email", "normalise": "email"}, {"name": "visit"})
    new = {"name": "phone", "normalise": "phone"}
    same = ({"name": "user_id", "unique": True}, new, {"name": "email", "normalise": "email", "limit": 3})
    assert contradictions(now, _changed(*same, {"name": "visit", "shared": True})) == []
    assert contradictions(now, _changed(*same)) == ["visit is missing"]
    assert contradictions(now, _changed(*same, {"name": "visit", "scoped": True})) == [
        "visit must stay normalise: exact, scoped: false"
    ]
    moved = _changed({"name": "email"}, {"name": "user_id"}, {"name": "visit"})
    assert contradictions(now, moved) == [
        "email must stay normalise: email, scoped: false",
        "user_id must stay before email",
    ]
