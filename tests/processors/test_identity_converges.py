"""Any partitions, interleaving, batching, repetition and crash give the customers of a union-find over the whole log.

`CDP_TEST_EXAMPLES=N` tries N logs.
"""

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.rules import room
from tests.identity_oracle import Stated
from tests.processors.events import DAY, LIFECYCLES, tick
from tests.processors.identities import (
    LIMITS,
    SMALL,
    as_oracle,
    assert_equal,
    identified,
    rules_of,
    said,
    stated,
)
from tests.processors.logs import NOW
from tests.processors.machine import library
from tests.processors.world import World

EXAMPLES = int(os.environ.get("CDP_TEST_EXAMPLES", "500"))
END = NOW + 200 * DAY
CHAIN = [(f"phone:{n}", f"phone:{n + 1}") for n in range(9)]
RULES = {n: rules_of(limits) for n, limits in enumerate(LIMITS)}
LIBRARIES = {n: library("UTC", rules) for n, rules in RULES.items()}


@given(
    st.lists(identified(), min_size=1, max_size=30),
    st.sampled_from(list(RULES)),
    st.integers(1, 6),
    st.sampled_from(LIFECYCLES),
    st.integers(0, 2**32).map(random.Random),
)
@settings(max_examples=EXAMPLES, deadline=None)
def test_the_customers_are_those_of_the_whole_log(
    log: list[Stated], rules: int, partitions: int, lifecycle: str, dice: random.Random
) -> None:
    world = World(LIBRARIES[rules], partitions, SMALL, lifecycle)
    sent = [said(one) for one in log] + [said(one) for one in dice.choices(log, k=len(log) // 3)]
    dice.shuffle(sent)
    if dice.random() < 0.3:
        sent.insert(dice.randrange(len(sent)), tick(NOW + dice.randrange(150) * DAY))
    with pytest.MonkeyPatch.context() as patch:
        if dice.random() < 0.5:  # the cap is reached, and not passed
            patch.setattr(room, "MAX_MEMBERS", largest_set(log))
            patch.setattr(room, "SMALL", (dice.randint(1, 8), room.SMALL[1]))
        world.say(sent).run(dice, crash=0.15)
        world.say([tick(END)]).run(dice)
    assert_equal(world, log, as_oracle(RULES[rules]), lifecycle, END)


def largest_set(log: list[Stated]) -> int:
    """How many identifiers are connected at most by what the log states."""
    sets: list[set[str]] = []
    for keys, _ in log:
        met = [one for one in sets if not one.isdisjoint(keys)]
        sets = [one for one in sets if one not in met] + [set(keys).union(*met)]
    return max(map(len, sets))


@given(st.permutations(CHAIN), st.integers(0, 2**32).map(random.Random))
@settings(max_examples=EXAMPLES // 2, deadline=None)
def test_orders_that_are_repeated_while_roots_move_count_once(
    chain: list[tuple[str, str]], dice: random.Random
) -> None:
    log = [_order(n, *pair) for n, pair in enumerate(chain)] + [_order(99, chain[0][1])]
    sent = [said(one) for one in log * 3]
    dice.shuffle(sent)
    world = World(LIBRARIES[0], 9, SMALL).say(sent).run(dice, crash=0, most=1)
    world.say([tick(END)]).run(dice)
    assert_equal(world, log, as_oracle(RULES[0]), "ecommerce", END)


def _order(number: int, *keys: str) -> Stated:
    properties = {"order_id": str(number), "total": "1", "currency": "USD"}
    return stated("Order Completed", NOW, *keys, id_=str(number), properties=properties)
