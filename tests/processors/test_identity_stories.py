"""What becomes of people whose identifiers meet: one customer in any order, parted again as if they had never met."""

import random
from collections.abc import Iterable
from itertools import permutations
from typing import Any

import orjson
import pytest

from processors.handle import handle
from processors.messages import Command, Told
from processors.rules.remembered import MAX_WAITS
from schemas.changes import customer_id
from schemas.state import CLUSTER, upcast
from tests.identity_oracle import Stated
from tests.processors.events import DAY, at, customer, tick
from tests.processors.identities import (
    Known,
    aliased,
    assert_consistent,
    found,
    linked,
    parted,
    refused,
    said,
    stated,
)
from tests.processors.machine import library
from tests.processors.world import World

START = at("2026-01-01")
END = START + 100 * DAY
SMALL = "identity/small/1"
ADA, EVE, MAIL, CARD = "user_id:ada", "user_id:eve", "email:ada@example", "membership_card:7"
OPENID, VISITOR = "shop_customer/WECHAT:o1", "anonymous_id:v1"


def _bought(number: str, day: int, *keys: str) -> Stated:
    properties = {"order_id": number, "total": "10.50", "currency": "CNY"}
    return stated(
        "Order Completed", START + day * DAY, *keys, id_=number, properties=properties, received_at=END
    )


def _did(name: str, day: int, *keys: str, **fields: Any) -> Stated:
    return stated(name, START + day * DAY, *keys, received_at=END, **fields)


STORY = (
    _did("Page Viewed", 0, VISITOR),
    _did("Account Followed", 1, OPENID, VISITOR, traits={"city": "Chengdu"}),
    _bought("till-1", 2, CARD, OPENID),
    _did("Signed Up", 3, ADA, MAIL, VISITOR, traits={"city": "Beijing"}),
    _bought("web-1", 4, ADA),
)


def world(log: Iterable[Stated], seed: int = 1, most: int = 3, partitions: int = 5) -> World:
    made = World(library(), partitions, "identity/default/1")
    return more(made, log, seed, most)


def more(made: World, log: Iterable[Stated], seed: int = 1, most: int = 3) -> World:
    made.say(said(one) for one in log)
    return made.run(random.Random(seed), most=most)


def customers(made: World) -> dict[str, Known]:
    """Who is there, once the clock has come to the end everywhere."""
    made.say([tick(END)]).run(random.Random(1))
    assert not made.rejected
    assert_consistent(made.changes, made.states())
    return found(made.states())


def test_the_visitor_who_followed_bought_with_a_card_and_registered() -> None:
    alone = [Stated([ADA], one.body) for one in STORY]
    (whole,) = customers(world(alone)).values()
    assert (whole.facts["purchases"], whole.stage) == (2, "silent")
    for seed, order in enumerate(permutations(STORY)):
        (id_, one), *others = customers(world(order, seed)).items()
        assert not others
        assert id_ == customer("ada")
        assert one.members == {ADA, MAIL, CARD, OPENID, VISITOR}
        assert (one.facts, one.stage) == (whole.facts, whole.stage), "as if one customer had sent all"


def test_a_merge_says_from_whom_into_whom_through_what_and_which_event() -> None:
    log = [_bought("1", 0, MAIL), _bought("2", 0, ADA), _did("Identified", 1, ADA, MAIL, id_="meets")]
    made = world(log, most=1)
    (told,) = [c.body for c in made.changes if c.body.get("change") == "merged"]
    former = next(c.customer_id for c in made.changes if c.customer_id != customer("ada"))
    assert (told["customer_id"], told["other_id"]) == (customer("ada"), former)
    assert (told["through"], told["cause"]) == ([ADA, MAIL], "shop/meets")
    assert told["stated_at"] == START + DAY


MEETING = _did("Identified", 5, ADA, MAIL, id_="meets")
APART = [
    _bought("1", 0, MAIL), _did("Signed Up", 1, MAIL, VISITOR), _bought("2", 2, ADA), _bought("3", 3, ADA),
    _did("Page Viewed", 4, ADA),
]  # fmt: skip
LATER = [
    _bought("4", 20, MAIL),
    _did("Page Viewed", 21, VISITOR),
    _did("Identified", 22, ADA, MAIL, id_="again"),
]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("underway", [False, True])
def test_two_that_are_parted_are_as_if_they_had_never_met(seed: int, underway: bool) -> None:
    never = [one if len(one.keys) == 1 or MAIL not in one.keys[1:] else Stated([ADA], one.body)
             for one in [*APART, MEETING, *LATER]]  # fmt: skip
    wanted = customers(world(never, seed))
    made = world([*APART, MEETING], seed)
    assert len(found(made.states())) == 1
    split = parted(START + 30 * DAY, ADA, MAIL, received_at=END)
    if underway:
        log = [split, *LATER]
        random.Random(seed).shuffle(log)
        more(made, log, seed)
    else:
        more(more(made, [split], seed), LATER, seed)
    now = customers(made)
    assert now == wanted
    assert {k: (one.facts, one.stage) for k, one in now.items()} == {
        k: (one.facts, one.stage) for k, one in wanted.items()
    }
    told = [c.body["change"] for c in made.changes if "change" in c.body and c.body["change"] != "conflict"]
    assert told[-2:] == ["merged", "split"], "the published history stays"
    assert refused(made.states()) == {f"{ADA} {MAIL}"}


def test_what_is_known_of_identifiers_is_parted_with_them() -> None:
    meeting = _did("Identified", 1, ADA, MAIL, identifiers={"user_id": ["ada"], "email": ["ada@example"]})
    made = world([meeting, _bought("1", 2, MAIL)])
    more(made, [parted(START + 3 * DAY, ADA, MAIL, received_at=END)])
    more(made, [_bought("2", 4, ADA)])
    told = {c.customer_id: c.body["identifiers"] for c in made.changes if "identifiers" in c.body}
    assert told[customer("ada")] == {"user_id": ["ada"]}
    assert all(names == {} for id_, names in told.items() if id_ != customer("ada"))


@pytest.mark.parametrize("lifts", [aliased, linked])
def test_a_later_alias_of_the_pair_lifts_a_split(lifts: Any) -> None:
    made = world([*APART, MEETING])
    whole = customers(world([*APART, MEETING]))
    more(made, [parted(START + 30 * DAY, ADA, MAIL, received_at=END)])
    assert len(found(made.states())) == 2
    more(made, [lifts(START + 31 * DAY, ADA, MAIL, received_at=END)])
    now = customers(made)
    assert {id_: one.members for id_, one in now.items()} == {id_: one.members for id_, one in whole.items()}
    assert refused(made.states()) == set()
    more(made, [parted(START + 32 * DAY, ADA, MAIL, received_at=END)])
    assert len(customers(made)) == 2, "and back again"


@pytest.mark.parametrize("visitor", [f"anonymous_id:v{n}" for n in range(9)])
def test_a_former_customer_goes_with_its_own_identifier_when_who_took_it_over_goes_elsewhere(
    visitor: str,
) -> None:
    """Whichever id is the smaller of the two formers: the visitor's or the card's."""
    story = [
        _did("Page Viewed", 0, visitor),
        _bought("till-1", 0, CARD),
        _did("Identified", 9, CARD, visitor),  # the visitor becomes the card's
        _did("Signed Up", 1, EVE, visitor),  # both become Eve's
        _did("Card Linked", 2, ADA, CARD),  # the card was Ada's before it met the visitor, who stays with Eve
    ]
    made = world([])
    for one in story:
        more(made, [one])
    assert {id_: known.members for id_, known in customers(made).items()} == {
        customer_id(ADA): {ADA, CARD},
        customer_id(EVE): {EVE, visitor},
    }
    told = {
        c.body["other_id"]: c.body["customer_id"] for c in made.changes if c.body.get("change") == "merged"
    }
    assert told == {customer_id(visitor): customer_id(EVE), customer_id(CARD): customer_id(ADA)}


def test_only_who_is_trusted_makes_two_user_ids_one() -> None:
    log = [_bought("1", 0, ADA, VISITOR), _bought("2", 1, EVE, VISITOR), _bought("3", 2, ADA, MAIL),
           _bought("4", 3, EVE, MAIL)]  # fmt: skip
    made = world(log)
    assert len(customers(made)) == 2
    assert refused(made.states()) == {f"{EVE} {VISITOR}", f"{EVE} {MAIL}"}
    more(made, [aliased(START + 9 * DAY, ADA, EVE, received_at=END)])
    (one,) = customers(made).values()
    assert one.members == {ADA, EVE, VISITOR, MAIL}
    assert refused(made.states()) == set(), "what is one customer's is no conflict any more"


FORMAT_1 = {
    "v": 1, "kind": "cluster", "members": [ADA], "said": {}, "seen": {"9f86d081884c7d65": 1767225600},
    "links": {f"{ADA} {MAIL}": [START, "x"]}, "seen_overflow": 0, "at": START, "due_at": None, "aged": False, "rev": 3,
    "parts": {ADA: {
        "events": 1, "first": START, "last": START, "own_first": START, "own_last": START, "other_names": 0,
        "names": {"Page Viewed": [1, START, START]}, "days": {"20454": 1}, "channels": {"web": 1},
        "sources": {"web": 1},
        "identifiers": {"user_id": ["ada"], "email": ["ada@example"]}, "traits": {},
        "books": {"orders": {}, "contracts": {}, "movements": {}, "messages": {}, "contract_end": None, "totals": {
            "purchases": 0, "revenue": {}, "refunded": {}, "contracts": 0, "renewals": 0, "stored_value": {}}}}},
    "published": {customer("ada"): {
        "members": [ADA], "stage": "prospect", "stage_since": START, "lifecycle": "lifecycle/ecommerce/1",
        "sequence": 1}},
}  # fmt: skip


def test_a_state_of_format_1_is_brought_forward_and_folded_on() -> None:
    value = upcast(orjson.loads(orjson.dumps(FORMAT_1)))
    CLUSTER.validate_python(value, strict=True)
    assert upcast(dict(value)) == value, "once"
    assert upcast({"v": 1, "kind": "link", "owner": ADA, "seen": {}, "seen_overflow": 0, "rev": 1})["v"] == 3
    made = World(library(), 1, "identity/default/1")
    made.partitions[0].states[ADA] = orjson.dumps(FORMAT_1)
    more(made, [_bought("1", 1, MAIL), _bought("2", 2, ADA, MAIL)])
    (one,) = found(made.states()).values()
    assert one.members == {ADA, MAIL}
    assert (one.facts["events"], one.stage) == (3, "mature")
    assert made.changes[-1].body["identifiers"] == {"user_id": ["ada"]}


def test_an_absorb_of_before_room_was_granted_is_taken_at_the_time_of_its_partition() -> None:
    definitions = library().compile({"lifecycle": "lifecycle/ecommerce/1", "identity": "identity/default/1"})
    giver = upcast(orjson.loads(orjson.dumps(FORMAT_1)))
    names = ("members", "parts", "links", "said", "refused", "published", "at", "rev")
    old: Any = {"v": 1, "kind": "absorb", "giver": ADA, "to": EVE, "when": [START, "x", "shop"]}
    old |= {name: giver[name] for name in names}
    state, _ = handle(None, Told(EVE, old, START + 200 * DAY), definitions)
    assert state is not None
    assert state["kind"] == "cluster"
    assert set(state["members"]) == {ADA, EVE}
    assert state["at"] == START + 200 * DAY


def test_an_order_whose_books_never_come_is_counted_all_the_same() -> None:
    definitions = library().compile({"lifecycle": "lifecycle/ecommerce/1", "identity": "identity/default/1"})
    one, state, commands = _bought("1", 0, MAIL), None, 0
    body: Any = {"v": 1, "kind": "deliver", "keys": one.keys, "event": one.body, "clock_at": 0}
    while body:
        state, outputs = handle(state, Told(ADA, body, 0), definitions)
        body = next((output.body for output in outputs if isinstance(output, Command)), None)
        commands += 1
    assert state is not None
    assert state["kind"] == "cluster"
    assert state["parts"][MAIL]["books"]["totals"]["purchases"] == 1
    assert commands == MAX_WAITS + 1
