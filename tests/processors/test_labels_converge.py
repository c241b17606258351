"""Any partitions, interleaving, batching, repetition and crash give every customer the labels of all their events.

`CDP_TEST_EXAMPLES=N` tries N logs.
"""

import os
import random
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.identity_oracle import Stated
from tests.portrait_strategies import DAY, NOON, Dice
from tests.portrait_strategies import world as definitions_of
from tests.processors.events import marker, tick
from tests.processors.identities import (
    LIMITS,
    SMALL,
    aliased,
    as_oracle,
    assert_consistent,
    parted,
    rules_of,
    said,
)
from tests.processors.labels import (
    assert_replayed,
    backfills,
    expected,
    found,
    in_force,
    leaves,
    library_of,
    log_of,
    model_of,
)
from tests.processors.world import World

EXAMPLES = int(os.environ.get("CDP_TEST_EXAMPLES", "120"))
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
RULES = rules_of(LIMITS[0])
END = NOON + 3 * DAY


def drawn(d: Dice, zone: str) -> list[Stated]:
    """A log with statements of operators in it."""
    log = log_of(d, zone)
    for number in range(d.number(0, 2)):
        ends = [d.pick(log).keys[0] for _ in range(2)]
        if ends[0] != ends[1]:
            make = d.pick((aliased, parted))
            log.insert(
                d.number(0, len(log)),
                make(NOON - number * DAY, *ends, id_=f"said {number}", received_at=NOON),
            )
    return log


def shuffled(log: list[Stated], dice: random.Random) -> list[Any]:
    sent = [said(one) for one in log] + [said(one) for one in dice.choices(log, k=len(log) // 3)]
    dice.shuffle(sent)
    if dice.random() < 0.3:
        sent.insert(dice.randrange(len(sent)), tick(NOON + dice.randrange(2 * DAY)))
    return sent


@given(st.integers(0, 2**32))
@settings(max_examples=EXAMPLES, deadline=None, phases=UNSHRUNK)
def test_labels_are_those_of_all_events(seed: int) -> None:
    d = Dice(seed)
    definitions = definitions_of(d, 1)
    log = drawn(d, definitions.timezone)
    world = World(library_of(definitions, RULES, model_of(definitions, 1)), d.number(1, 5), SMALL)
    for partition in world.partitions:
        partition.position["in_force"] = in_force(definitions, 1)
    world.say(shuffled(log, d.random)).run(d.random, crash=0.15)
    for days in (0, d.number(0, 40), d.number(41, 500)):
        world.say([tick(END + days * DAY)]).run(d.random)
        assert found(world.states()) == expected(log, as_oracle(RULES), definitions, END + days * DAY)
    assert not world.rejected
    assert_replayed(world.changes, world.states())
    assert_consistent(world.changes, world.states())


@given(st.integers(0, 2**32))
@settings(max_examples=EXAMPLES, deadline=None, phases=UNSHRUNK)
def test_a_model_that_comes_later_remembers_as_if_it_always_had_been(seed: int) -> None:
    d = Dice(seed)
    first = definitions_of(d, 1)
    second = first._replace(definitions=tuple(_again(each, 2) for each in definitions_of(d, 1).definitions))
    one = model_of(first, 1)
    two = model_of(second, 2, one)
    log = drawn(d, first.timezone)
    library = library_of(first, RULES, one, two, *second.definitions)
    world, always = World(library, d.number(1, 5), SMALL), World(library, 1, SMALL)
    for partition in world.partitions:
        partition.position["in_force"] = in_force(first, 1)
    sent = shuffled(log, d.random)
    sent.insert(d.number(0, len(sent)), marker("collecting", "model/main/2"))
    world.say(sent).steps(d.random, d.number(0, 30))
    commands = [c for partition in world.partitions for c in backfills(partition, two, library)]
    d.random.shuffle(commands)
    for to, command in commands:
        world.send(to, command)
        world.steps(d.random, d.pick((0, 0, 0, 1, 5)))
    world.run(d.random)
    told = [p.position["backfilled"][1] for p in world.partitions if "backfilled" in p.position]
    assert sum(told) == len(commands)
    world.say([marker("model", "model/main/2"), tick(END)]).run(d.random)
    always.partitions[0].position["in_force"] = in_force(second, 2)
    always.say(sent).run(d.random)
    always.say([tick(END)]).run(d.random)
    assert not world.rejected
    assert leaves(world.states()) == leaves(always.states())
    assert found(world.states()) == expected(log, as_oracle(RULES), second, END)
    assert_replayed(world.changes, world.states())


def _again(definition: Any, version: int) -> Any:
    return definition.model_copy(update={"version": version})
