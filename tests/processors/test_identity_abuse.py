"""Identifiers that many use, or software misuses: the work stays flat, it ends, and nobody becomes a giant."""

import random
from typing import Any

import orjson
import pytest

from schemas.definitions import load
from schemas.identity import IdentityRules, Keys
from tests.identity_oracle import Stated
from tests.processors.events import DAY, at
from tests.processors.identities import Known, aliased, found, refused, said, stated
from tests.processors.machine import library
from tests.processors.world import World

START = at("2026-01-01")
PRESET = "identity/default/1"
KIB = 1024


def world(log: list[Stated], most: int = 1_000, seed: int = 1) -> World:
    """Eight partitions that have folded this log."""
    made = World(library(), 8, PRESET).say(said(one) for one in log)
    made.run(random.Random(seed), crash=0, most=most)
    assert not made.rejected
    return made


def largest(states: dict[str, Any]) -> int:
    """Bytes of the largest state."""
    return max(len(orjson.dumps(state)) for state in states.values())


def users(known: dict[str, Known]) -> list[int]:
    """How many user ids each customer has."""
    return [sum(key.startswith("user_id:") for key in one.members) for one in known.values()]


@pytest.mark.parametrize(
    ("shared", "most"),
    [("device_id:tablet", 1), ("device_id:tablet", 1_000), ("email:shop", 1_000), ("phone:counter", 1_000)],
)
def test_ten_thousand_logins_on_one_identifier(shared: str, most: int) -> None:
    logins = 10_000
    log = [stated("Signed Up", START + n, f"user_id:{n:05}", shared) for n in range(logins)]
    made = world(log, most)
    states, known = made.states(), found(made.states())
    assert len(known) == logins
    assert max(users(known)) == 1
    assert all(one.facts["events"] == 1 for one in known.values())
    assert max(len(state.get("members", ())) for state in states.values()) <= 102
    assert largest(states) < 64 * KIB
    assert made.sent < 3 * logins + 200, "a claim, that a Link passes on, and the room given back"
    before = made.sent
    made.say(said(stated("Signed Up", START + DAY + n, f"user_id:x{n}", shared)) for n in range(1_000))
    made.run(random.Random(2), crash=0, most=most)
    assert made.sent - before <= 3 * 1_000, "the last thousand cost no more than the first"
    assert largest(made.states()) < 64 * KIB


def test_a_household_shares_an_address() -> None:
    address = "email:family@example"
    log = [stated("Signed Up", START + n, f"user_id:{n}", address) for n in range(4)]
    log += [stated("Page Viewed", START + 10 + n, f"user_id:{n}") for n in range(4)]
    made = world(log)
    known = found(made.states())
    assert sorted(map(sorted, (one.members for one in known.values()))) == [
        [address, "user_id:0"], ["user_id:1"], ["user_id:2"], ["user_id:3"],
    ]  # fmt: skip
    assert [one.facts["events"] for one in known.values()] == [2] * 4
    assert refused(made.states()) == {f"user_id:{n} {address}" for n in (1, 2, 3)}
    told = [change.body for change in made.changes if change.body.get("change") == "conflict"]
    assert {body["reason"] for body in told} == {"unique"}
    assert all(body["customer_id"] in known and body["other_id"] in known for body in told)


@pytest.mark.parametrize("nobody", ["null", "undefined", "0", "[object Object]", ""])
def test_visitors_of_software_that_knows_nobody(nobody: str) -> None:
    rules = load("default", "identity")
    assert isinstance(rules, IdentityRules)
    keys = Keys(rules, "a secret, long enough for everybody")
    with pytest.raises(ValueError, match="identifies nobody"):
        keys.key("user_id", nobody)
    log = [stated("Page Viewed", START + n, keys.key("anonymous_id", f"v{n}")[0]) for n in range(500)]
    made = world(log)
    assert len(found(made.states())) == 500
    assert made.sent == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_loop_of_links_and_aliases_is_one_customer(seed: int) -> None:
    a, b, c = "user_id:a", "user_id:b", "user_id:c"
    loop = [aliased(START, a, b), aliased(START + 1, b, c), aliased(START + 2, c, a)]
    ring = [("phone:1", "email:1"), ("email:1", "anonymous_id:1"), ("anonymous_id:1", "phone:1")]
    loop += [stated("Page Viewed", START + 3 + n, *pair) for n, pair in enumerate(ring)]
    again = [
        Stated(o.keys, {**o.body, "message_id": f"{r}{o.body['message_id']}"})
        for r in range(50)
        for o in loop
    ]
    random.Random(seed).shuffle(again)
    made = world(again, most=7, seed=seed)
    assert sorted(len(one.members) for one in found(made.states()).values()) == [3, 3]
    assert made.sent < 2 * len(again)


@pytest.mark.parametrize("most", [5, 10_000])
def test_one_user_with_thousands_of_anonymous_ids_in_one_chunk(most: int) -> None:
    log = [stated("Page Viewed", START + n, f"anonymous_id:{n:04}") for n in range(2_000)]
    log += [
        stated("Identified", START + 5_000 + n, "user_id:bot", f"anonymous_id:{n:04}") for n in range(2_000)
    ]
    made = world(log, most)
    states = made.states()
    known = found(states)
    assert max(len(one.members) for one in known.values()) == 1, "who has so many is nobody's"
    assert sum(one.facts["events"] for one in known.values()) == 4_000
    assert max(len(state.get("members", ())) for state in states.values()) <= 102
    assert largest(states) < 192 * KIB
    assert made.sent < 2 * 2_000 + 200


def test_two_customers_of_three_hundred_kilobytes_stay_two() -> None:
    log = [_order(f"{who}:1", n) for who in ("phone", "email") for n in range(2_000)]
    made = world(log)
    assert 200 * KIB < largest(made.states()) < 512 * KIB
    made.say([said(stated("Page Viewed", START + DAY, "phone:1", "email:1"))])
    made.say([said(_order(key, 1)) for key in ("phone:1", "email:1")])  # known: counts no more
    made.say([said(stated("Visit", START + DAY, key)) for key in ("phone:1", "email:1")])
    made.run(random.Random(3), crash=0)
    known = found(made.states())
    assert sorted(one.facts["events"] for one in known.values()) == [2_001, 2_002]
    assert largest(made.states()) < 512 * KIB
    told = [change for change in made.changes if change.body.get("reason") == "too_large"]
    assert {change.customer_id for change in told} == known.keys()
    assert not made.rejected


def _order(key: str, number: int) -> Stated:
    properties = {"order_id": f"{key} {number:036}", "total": "123.45", "currency": "USD"}
    return stated("Order Completed", START + number, key, id_=f"{key} {number:036}", properties=properties)
