"""Beyond the cap: it ends, every event counts once, nobody has two user ids, and each refusal is told on both sides."""

import random
from collections import defaultdict
from collections.abc import Collection
from itertools import combinations
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.rules import room
from tests import oracle
from tests.identity_oracle import Stated
from tests.processors.events import DAY, at
from tests.processors.identities import (
    SMALL,
    assert_consistent,
    found,
    identified,
    rules_of,
    said,
    stated,
)
from tests.processors.machine import library
from tests.processors.test_facts_converge import told
from tests.processors.world import World

RULES = rules_of({})
LIBRARY = library("UTC", RULES)
START, KIB = at("2026-01-01"), 1024
POOL = tuple(f"{name}:{n}" for name in ("user_id", "phone", "email", "anonymous_id") for n in range(1, 6))


@given(
    st.lists(identified(POOL), min_size=5, max_size=40),
    st.integers(2, 6),
    st.integers(1, 6),
    st.integers(0, 2**32).map(random.Random),
)
@settings(max_examples=150, deadline=None)
def test_small_caps(log: list[Stated], cap: int, partitions: int, dice: random.Random) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "MAX_MEMBERS", cap)
        patch.setattr(room, "SMALL", (dice.randint(1, 3), room.SMALL[1]))
        patch.setattr(room, "MAX_WAITING", dice.choice((1, 3, 250)))
        sent = [said(one) for one in log] + [said(one) for one in dice.choices(log, k=len(log) // 3)]
        dice.shuffle(sent)
        world = World(LIBRARY, partitions, SMALL).say(sent).run(dice, crash=0.15)
    assert_sound(world, log)


def assert_sound(world: World, log: list[Stated]) -> None:
    """What holds of any log."""
    assert not world.rejected
    states = world.states()
    assert_counted_once(states, log)
    assert_unique(states, log)
    _assert_told_on_both_sides(world, states)
    assert_consistent(world.changes, states)


def assert_counted_once(states: dict[str, Any], log: list[Stated]) -> None:
    mine = defaultdict(list)
    for keys, body in log:
        if body["type"] not in ("link", "split"):
            mine[keys[0]].append(body)
    parts = [item for state in states.values() for item in state.get("parts", {}).items()]
    assert len(parts) == len(mine), "the events of one identifier are in two places, or in none"
    assert {key: told(part) for key, part in parts} == {key: oracle.facts(e) for key, e in mine.items()}
    with_facts = {member for one in found(states).values() for member in one.members}
    assert mine.keys() <= with_facts


def assert_unique(states: dict[str, Any], log: list[Stated]) -> None:
    aliases = [set(body["says"][1:]) for _, body in log if body.get("says", ["split"])[0] == "alias"]
    for one in found(states).values():
        users = {key for key in one.members if key.startswith("user_id:")}
        assert len(users) < 2 or any(alias & one.members for alias in aliases)
        if not aliases:
            assert len(users) < 2


def _assert_told_on_both_sides(world: World, states: dict[str, Any]) -> None:
    roots = {member: key for key, state in states.items() for member in state.get("members", ())}
    customers = {m: id_ for id_, one in found(states).items() for m in one.members}
    sides = defaultdict(set)
    for change in world.changes:
        if change.body.get("reason") == "too_large":
            sides[" ".join(change.body["through"])].add(change.customer_id)
    for root, state in states.items():
        for pair, (why, published) in state.get("refused", {}).items():
            if why == "too_large" and any(roots[end] == root and end in customers for end in pair.split(" ")):
                assert published
                assert sides[pair]
    for pair in {pair for state in states.values() for pair in state.get("links", {})}:
        one, two = pair.split(" ")
        apart = roots.get(one, one) != roots.get(two, two)
        if apart and one in customers and two in customers:
            assert len(sides[pair]) > 1, f"{pair} is refused, and not on both sides"


@pytest.mark.parametrize("most", [1, 50, 10_000])
def test_a_chain_of_two_thousand_identifiers(most: int) -> None:
    dice = random.Random(most)
    log = [stated("Page Viewed", START + n, f"phone:{n:04}", f"phone:{n + 1:04}") for n in range(1_999)]
    dice.shuffle(log)
    world = World(library(), 8, "identity/default/1").say([said(one) for one in log])
    world.run(dice, crash=0, most=most)
    assert_sound(world, log)
    sizes = [len(state.get("members", ())) for state in world.states().values()]
    assert sum(sizes) == 2_000
    assert max(sizes) <= 500
    assert any(change.body.get("reason") == "too_large" for change in world.changes)
    assert world.sent < 12 * len(log)
    assert max(len(orjson.dumps(state)) for state in world.states().values()) < 512 * KIB


@pytest.mark.parametrize("most", [1, 10_000])
@pytest.mark.parametrize(("orders", "left"), [(350, range(4, 7)), (1_000, [12])])
def test_twelve_who_bought_very_much_meet_at_once(orders: int, left: Collection[int], most: int) -> None:
    keys = [f"phone:{n:02}" for n in range(12)]
    log = [_order(key, number) for key in keys for number in range(orders)]
    world = World(library(), 8, "identity/default/1").say([said(one) for one in log])
    world.run(random.Random(1), crash=0, most=10_000)
    log += [stated("Page Viewed", START + DAY, *pair) for pair in combinations(keys, 2)]
    world.say([said(one) for one in log[-66:]]).run(random.Random(most), crash=0, most=most)
    assert_sound(world, log)
    sizes = [len(orjson.dumps(state)) for state in world.states().values() if state["kind"] == "cluster"]
    assert len(sizes) in left
    assert max(sizes) < 300 * KIB


def _order(key: str, number: int) -> Stated:
    properties = {"order_id": f"{key} {number:036}", "total": "123.45", "currency": "USD"}
    return stated("Order Completed", START + number, key, id_=f"{key} {number:036}", properties=properties)


MANY = [f"anonymous_id:{n}" for n in range(12)]


@pytest.mark.parametrize(
    ("before", "meets", "commands"),
    [
        ([], ("user_id:1", "phone:1"), 2),  # claim, absorb
        ([("user_id:1", "email:1")], ("phone:1", "email:1"), 4),  # claim, passed on, claim, absorb
        ([("phone:1", one) for one in MANY], ("user_id:1", "phone:1"), 16),  # claim, claim, claim, absorb, 12 relinks
        ([("user_id:1", "phone:1")], ("user_id:1", "phone:1"), 0),
    ],
)  # fmt: skip
def test_what_a_merge_costs(before: list[tuple[str, str]], meets: tuple[str, str], commands: int) -> None:
    log = [stated("Page Viewed", START + n, *pair) for n, pair in enumerate(before)]
    world = World(LIBRARY, 3, SMALL).say([said(one) for one in log]).run(random.Random(1), crash=0, most=1)
    sent = world.sent
    world.say([said(stated("Visit", START + DAY, *meets))]).run(random.Random(1), crash=0)
    assert world.sent - sent == commands
    assert len(found(world.states())) == 1
