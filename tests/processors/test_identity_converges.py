"""Any partitions, interleaving, batching, repetition and crash give the customers of a union-find over the whole log.

`CDP_TEST_EXAMPLES=N` tries N logs.
"""

import os
import random

from hypothesis import given, settings
from hypothesis import strategies as st

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
)
from tests.processors.logs import NOW
from tests.processors.machine import library
from tests.processors.world import World

EXAMPLES = int(os.environ.get("CDP_TEST_EXAMPLES", "500"))
END = NOW + 200 * DAY
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
    world.say(sent).run(dice, crash=0.15)
    world.say([tick(END)]).run(dice)
    assert_equal(world, log, as_oracle(RULES[rules]), lifecycle, END)
