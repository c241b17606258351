"""Identity on a real Kafka: workers killed and rebalanced in the midst of merges lose nothing and say nothing twice."""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from schemas.definitions import load
from schemas.identity import IdentityRules
from schemas.settings import Settings
from schemas.topics import COMMANDS, IDENTITY_CHANGES, LIFECYCLE_CHANGES, REJECTED
from tests.identity_oracle import Stated
from tests.integration.log import changes, read, states, write
from tests.processes import Process, running
from tests.processors.events import DAY, Said, at, clock, tick
from tests.processors.identities import (
    aliased,
    as_oracle,
    expected,
    found,
    linked,
    parted,
    refused,
    said,
    stated,
)
from tests.waiting import until

START = at("2025-01-01")
END = START + 200 * DAY
BLOCK = 12
"""People who are taken for each other at times: their identifiers together are below the cap."""
NAMES = ("Page Viewed", "Signed Up", "Account Followed", "Visit", "Order Completed")


def crowd(seed: int, people: int, events: int) -> list[Stated]:
    """People of many identifiers that meet late, some of them wrongly, with operators who part and unite them."""
    dice = random.Random(seed)
    own = [_identifiers(dice, person) for person in range(people)]
    log = []
    for number in range(events):
        when, person = START + dice.randrange(85) * DAY + number, dice.randrange(people)
        mine, block = own[person], person // BLOCK * BLOCK
        keys = dice.sample(mine, min(len(mine), dice.choice((1, 1, 1, 2, 2, 3))))
        if dice.random() < 0.05:
            keys.append(dice.choice(dice.choice(own[block : block + BLOCK])))  # somebody else's
        log.append(_one(dice, number, when, list(dict.fromkeys(keys))))
    return log


def _identifiers(dice: random.Random, person: int) -> list[str]:
    mine = [
        f"{name}:{person}" for name in ("user_id", "membership_card", "phone", "email") if dice.random() < 0.7
    ]
    return [*mine, *(f"anonymous_id:{person}.{n}" for n in range(3)), f"device_id:{person // 4}"]


def _one(dice: random.Random, number: int, when: int, keys: list[str]) -> Stated:
    if len(keys) > 1 and dice.random() < 0.06:
        return dice.choice((aliased, linked, parted))(when, *keys[:2], id_=f"o{number}", received_at=END)
    name = dice.choice(NAMES)
    properties = {"order_id": f"{number}", "total": "9.90", "currency": "USD"} if name == NAMES[-1] else {}
    return stated(name, when, *keys, id_=f"e{number}", properties=properties, received_at=END)


def pieces(dice: random.Random, log: list[Said], count: int) -> Iterator[list[Said]]:
    """The log in this many pieces, some of it twice."""
    cuts = sorted(dice.sample(range(len(log)), count - 1))
    for start, end in zip([0, *cuts], [*cuts, len(log)], strict=True):
        yield log[start:end] + dice.sample(log[:end], end // 20)


def until_equal(settings: Settings, log: list[Stated]) -> None:
    """Return when all customers, their facts, stages and conflicts are the oracle's, and nothing was said twice."""
    rules = load("default", "identity")
    assert isinstance(rules, IdentityRules)
    known, conflicts = expected(log, as_oracle(rules), "ecommerce", END)

    def state() -> dict[str, Any]:
        return {key: value for key, value in states(settings).items() if ":" in key}

    def customers() -> dict[str, Any]:
        try:
            return found(state())
        except (
            AssertionError
        ):  # in two clusters: who takes over may be seen before who gave, in another partition
            return {}

    def without_stage(now: dict[str, Any]) -> dict[str, Any]:
        return {id_: (one.members, one.facts) for id_, one in now.items()}

    until(lambda: without_stage(customers()) == without_stage(known), "all have met", every=0.5)
    write(settings, [tick(END, "importer")])
    until(lambda: customers() == known, "all are in their stage", every=0.5)
    assert refused(state()) == conflicts
    _assert_published_once(settings, set(known), conflicts)


def _assert_published_once(settings: Settings, known: set[str], conflicts: set[str]) -> None:
    assert read(settings, REJECTED) == []
    told = [body for mine in changes(settings, IDENTITY_CHANGES).values() for body in mine]
    ids = [body["id"] for body in told]
    assert len(ids) == len(set(ids)), "a change was published twice"
    assert conflicts <= {" ".join(body["through"]) for body in told if body["change"] == "conflict"}
    merged = [body["other_id"] for body in told if body["change"] == "merged"]
    assert len(merged) > 50
    staged = changes(settings, LIFECYCLE_CHANGES)
    for mine in staged.values():
        assert sorted(body["sequence"] for body in mine) == list(range(1, len(mine) + 1))
    assert staged.keys() - known <= set(merged), "who is no more was merged into somebody"
    kinds = {record.value[:200].split(b'"kind":"')[1].split(b'"')[0] for record in read(settings, COMMANDS)}
    assert {b"claim", b"absorb", b"deliver"} <= kinds


def test_killed_at_random_moments_in_the_midst_of_merges(deployed: Callable[..., Settings]) -> None:
    settings, dice, log = deployed(partitions=6), random.Random(41), crowd(1, 120, 3_000)
    workers = [Process("worker", settings, f"worker{n}") for n in range(2)]
    with running(*workers):
        write(settings, [clock(running=False)])
        for piece in pieces(dice, [said(one) for one in log], 6):
            victim = dice.choice(workers)
            opened = victim.said().count("partition open")
            until(lambda: victim.said().count("partition open") > opened or opened)  # noqa: B023
            write(settings, piece)
            time.sleep(
                dice.uniform(0, 0.3)
            )  # the moment is the point: anywhere between a claim and its absorb
            victim.kill()
            victim.start()
        until_equal(settings, log)
        assert [worker.end() for worker in workers] == [0, 0]
    assert not any("Traceback" in worker.said() for worker in workers)


def test_workers_come_and_go_while_customers_meet(deployed: Callable[..., Settings]) -> None:
    settings, dice, log = deployed(partitions=6), random.Random(42), crowd(2, 120, 3_000)
    first, second, third = (Process("worker", settings, f"worker{n}") for n in range(3))
    with running(first):
        try:
            write(settings, [clock(running=False)])
            parts = pieces(dice, [said(one) for one in log], 4)
            write(settings, next(parts))
            second.start()
            third.start()
            write(settings, next(parts))
            until(lambda: "partition open" in second.said() and "partition open" in third.said())
            write(settings, next(parts))
            second.kill()
            write(settings, next(parts))
            assert third.end() == 0
            until_equal(settings, log)
            assert first.end() == 0
        finally:
            for worker in (second, third):
                worker.kill()
    assert not any("Traceback" in worker.said() for worker in (first, second, third))
