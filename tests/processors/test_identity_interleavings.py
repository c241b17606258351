"""A model check: every interleaving of small logs, on the real `handle`, ends in the customers of the oracle.

Each identifier is a partition of its own, its events and its commands are two logs that are read independently, a
record at a time. What is reached twice is walked once. `CDP_TEST_INTERLEAVINGS=N` walks N logs instead (some thousands
take an hour); `CDP_TEST_SEED=S` begins with another.
"""

import os
import random
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from processors.handle import handle
from processors.messages import Arrived, Change, Command, Due, Message, Told
from processors.rules import room
from tests.identity_oracle import Stated
from tests.processors.events import DAY, at
from tests.processors.identities import (
    LIMITS,
    SMALL,
    aliased,
    as_oracle,
    expected,
    found,
    linked,
    parted,
    refused,
    rules_of,
    stated,
)
from tests.processors.machine import library
from tests.processors.test_identity_cap import assert_counted_once, assert_unique
from tests.processors.world import assert_at_rest, assert_bounded

LOGS = int(os.environ.get("CDP_TEST_INTERLEAVINGS", "300"))
SEED = int(os.environ.get("CDP_TEST_SEED", "1"))
MOST_STATES = 60_000
START = at("2026-01-01")
END = START + 300 * DAY
POOL = ("user_id:1", "user_id:2", "user_id:3", "phone:1", "email:1", "device_id:1", "anonymous_id:1")
NAMES = ("Page Viewed", "Signed Up", "Order Completed")

States = dict[str, bytes]
Queues = dict[tuple[str, str], tuple[bytes, ...]]
"""What is not read yet: (identifier, events | commands) -> messages."""


class Walk:
    """Every interleaving of a log under some rules."""

    def __init__(self, limits: dict[str, int]) -> None:
        self.after: dict[int, list[int]] = {}
        in_force = {"lifecycle": "lifecycle/ecommerce/1", "identity": SMALL}
        self.definitions = library("UTC", rules_of(limits)).compile(in_force)
        self.steps: dict[tuple[bytes, bytes], tuple[bytes, list[tuple[str, bytes]]]] = {}
        self.seen: set[int] = set()

    def ends(self, log: list[Stated]) -> list[States] | None:
        """Every state in which nothing is left to read; None where they are too many to walk."""
        queues: Queues = {}
        for keys, body in log:
            place = keys[0], "events"
            queues[place] = (*queues.get(place, ()), orjson.dumps([keys, body]))
        stack, terminal = [(States(), queues)], list[States]()
        while stack:
            states, queues = stack.pop()
            follow = self.after[_mark(states, queues)] = list[int]()
            if not queues:
                terminal.append(states)
            for again, after in self._next(states, queues):
                mark = _mark(*after)
                if not again:
                    follow.append(mark)
                if mark not in self.seen:
                    self.seen.add(mark)
                    stack.append(after)
            if len(self.seen) > MOST_STATES:
                return None
        return terminal

    def assert_ends(self) -> None:
        """No way leads in a circle, but for messages that are put off: sent again to be read later."""
        left = dict.fromkeys(self.after, 0)
        for following in self.after.values():
            for mark in following:
                left[mark] += 1
        free = [mark for mark, ways in left.items() if not ways]
        while free:
            for mark in self.after[free.pop()]:
                left[mark] -= 1
                if not left[mark]:
                    free.append(mark)
        assert not any(left.values()), "it need not end"

    def _next(self, states: States, queues: Queues) -> Iterator[tuple[bool, tuple[States, Queues]]]:
        """What may happen next; whether that is only that a message was put off."""
        for place, (first, *rest) in queues.items():
            state, commands = self._step(states.get(place[0], b"null"), place, first)
            left = {**queues, place: tuple(rest)}
            if not rest:
                del left[place]
            for to, command in commands:
                left[to, "commands"] = (*left.get((to, "commands"), ()), command)
            again = commands == [(place[0], first)]
            yield again, ({**states, place[0]: state}, left)

    def _step(
        self, state: bytes, place: tuple[str, str], message: bytes
    ) -> tuple[bytes, list[tuple[str, bytes]]]:
        """What `handle` makes of one message, remembered: it is pure."""
        key = state, place[0].encode() + message
        if key not in self.steps:
            after, outputs = handle(orjson.loads(state), _message(place, message), self.definitions)
            commands = [(o.to, _plain(o.body)) for o in outputs if isinstance(o, Command)]
            assert_bounded(after)
            self.steps[key] = _plain(after), commands
        return self.steps[key]

    def last_tick(self, states: States) -> dict[str, Any]:
        """The states after a tick, and nothing else, comes to all."""
        ticked = {}
        for key, state in states.items():
            ticked[key], outputs = handle(orjson.loads(state), Due(key, END), self.definitions)
            assert all(isinstance(output, Change) for output in outputs)
        return ticked


def _mark(states: States, queues: Queues) -> int:
    return hash((frozenset(states.items()), frozenset(queues.items())))


def _message(place: tuple[str, str], message: bytes) -> Message:
    if place[1] == "commands":
        return Told(place[0], orjson.loads(message), 0)
    keys, body = orjson.loads(message)
    return Arrived(place[0], keys, body, 0)


def _plain(value: Any) -> bytes:
    """As bytes that are equal where nothing but a count of what happened differs."""
    value = orjson.loads(orjson.dumps(value))
    if value:
        value.pop("waited", None)
    if value and "published" in value:
        value["rev"] = 0
        for published in value["published"].values():
            published |= {"sequence": 0, "moves": 0, "stage_since": 0}
        for stated_ in value["refused"].values():
            stated_[1] = 0
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def small_log(dice: random.Random) -> list[Stated]:
    """Two to six events on a few identifiers that have to do with each other."""
    pool = dice.sample(POOL, dice.randint(3, 5))
    log = [_one(dice, pool, number) for number in range(dice.randint(2, 6))]
    if dice.random() < 0.3:
        log.append(dice.choice(log))
    dice.shuffle(log)
    return log


def _one(dice: random.Random, pool: list[str], number: int) -> Stated:
    when, kind, name = START + number * DAY, dice.random(), dice.choice(NAMES)
    if kind < 0.3:
        return dice.choice((aliased, linked, parted))(when, *dice.sample(pool, 2), received_at=END)
    properties = {"order_id": str(number), "total": "10", "currency": "USD"} if name == NAMES[2] else {}
    keys = dice.sample(pool, dice.choice((1, 2, 2, 2, 3)))
    return stated(name, when, *keys, properties=properties, received_at=END)


def test_every_interleaving_of_small_logs_ends_in_the_customers_of_the_whole_log() -> None:
    dice, walked, most = random.Random(SEED), 0, 0
    while walked < LOGS:
        log, limits = small_log(dice), dice.choice(LIMITS)
        walk = Walk(limits)
        terminal = walk.ends(log)
        if terminal is None:
            continue
        walked, most = walked + 1, max(most, len(walk.seen))
        wanted = expected(log, as_oracle(rules_of(limits)), "ecommerce", END)
        walk.assert_ends()
        for states in terminal:
            ticked = walk.last_tick(states)
            assert_at_rest(ticked.values())
            assert (found(ticked), refused(ticked)) == wanted, [(one.keys, one.body["type"]) for one in log]
    assert most > 5_000, "nothing but logs that hardly branch"


def test_every_interleaving_of_small_logs_ends_within_a_cap() -> None:
    dice, walked = random.Random(SEED), 0
    while walked < LOGS // 2:
        log = small_log(dice)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(room, "MAX_MEMBERS", dice.randint(2, 4))
            patch.setattr(room, "SMALL", (dice.randint(1, 2), room.SMALL[1]))
            patch.setattr(room, "MAX_WAITING", dice.choice((1, 250)))
            walk = Walk({})
            terminal = walk.ends(log)
        if terminal is None:
            continue
        walked += 1
        walk.assert_ends()
        for states in terminal:
            ticked = walk.last_tick(states)
            assert_at_rest(ticked.values())
            assert_counted_once(ticked, log)
            assert_unique(ticked, log)


def test_an_alias_of_a_crowded_identifier_is_not_taken_for_its_link() -> None:
    one, two, card, mail = "user_id:1", "user_id:2", "membership_card:1", "email:1"
    log = [stated("Page Viewed", START + n, key, mail) for n, key in enumerate((one, two, card))]
    log.append(linked(START + DAY, one, mail))
    walk = Walk(LIMITS[2])
    wanted = expected(log, as_oracle(rules_of(LIMITS[2])), "ecommerce", END)
    terminal = walk.ends(log)
    assert terminal
    for states in terminal:
        ticked = walk.last_tick(states)
        assert (found(ticked), refused(ticked)) == wanted


A, B, C, D = "phone:1", "phone:2", "phone:3", "phone:4"
HELD: tuple[list[tuple[str, str]], ...] = (
    [(A, B), (B, C), (A, C)],  # all grant to each other at once
    [(A, B), (B, C), (C, D)],  # who has granted room is granted some by a greater
    [(A, C), (B, C), (B, D), (A, D)],  # two who grant to the same two
    [(A, B), (C, D), (B, C)],
)


@pytest.mark.parametrize("small", [1, 2])
@pytest.mark.parametrize("fits", [True, False])
@pytest.mark.parametrize("pairs", HELD)
def test_roots_that_wait_for_each_other(pairs: list[tuple[str, str]], fits: bool, small: int) -> None:
    members = {key for pair in pairs for key in pair}
    log = [stated("Page Viewed", START + n, *pair) for n, pair in enumerate(pairs)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "MAX_MEMBERS", len(members) - (not fits))
        patch.setattr(room, "SMALL", (small, room.SMALL[1]))
        walk = Walk({})
        terminal = walk.ends(log)
    assert terminal
    walk.assert_ends()
    for states in terminal:
        parsed = {key: orjson.loads(state) for key, state in states.items()}
        assert_at_rest(parsed.values())
        sizes = [len(state["members"]) for state in parsed.values() if state["kind"] == "cluster"]
        assert (sizes == [len(members)]) == fits
        assert sum(sizes) == len(members)
