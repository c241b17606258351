"""Commands and events of a partition in one turn, as a worker reads them: the customers are those of the whole log."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.chunk import Chunk, fold_chunk
from processors.turn import Turn
from tests.identity_oracle import Stated
from tests.processors import world
from tests.processors.events import LIFECYCLES, tick
from tests.processors.identities import SMALL, as_oracle, assert_equal, identified, said
from tests.processors.test_identity_converges import END, EXAMPLES, LIBRARIES, RULES


def together(self: world.Partition, topic: str, most: int) -> Iterator[Turn]:
    """The turns of at most so many records of each log."""
    logs: list[list[Any]] = [
        self.events[self.position["events"] :],
        self.commands[self.position["commands"] :],
    ]
    return fold_chunk(self.position, Chunk(*(log[:most] for log in logs)), self, self.compile)


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
    sent = [said(one) for one in log] + [said(one) for one in dice.choices(log, k=len(log) // 3)]
    dice.shuffle(sent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.Partition, "turns", together)
        mine = world.World(LIBRARIES[rules], partitions, SMALL, lifecycle)
        mine.say(sent).run(dice, crash=0.15, most=3).say([tick(END)]).run(dice)
    assert_equal(mine, log, as_oracle(RULES[rules]), lifecycle, END)
