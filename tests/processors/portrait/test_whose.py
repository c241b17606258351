"""What a customer's identifiers rest on: the statements that joined them, an operator's among these."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.calendar import Calendar
from processors.identifiers import Identifiers
from processors.portrait.asking import World
from processors.portrait.explain import Answer, Explainer
from processors.portrait.history import Happened
from processors.portrait.whose import Whose
from schemas.conditions import Identified
from tests import identity_oracle
from tests.identity_oracle import Stated
from tests.processors.events import at
from tests.processors.identities import (
    ORDER,
    POOL,
    aliased,
    as_oracle,
    identified,
    linked,
    parted,
    rules_of,
    stated,
)

RULES = rules_of({"phone": 2, "anonymous_id": 2})
IDENTIFIERS = Identifiers(RULES)
FEW = (*POOL[:4], "shop_customer/A:1", "phone:1", "email:1", "device_id:1", "anonymous_id:1")
DAYS = [at(f"2026-03-{day:02}") for day in range(1, 10)]
ADA, CARD = "user_id:1", "membership_card:1"


def customers(log: list[Stated]) -> list[frozenset[str]]:
    return [found.members for found in identity_oracle.customers(log, as_oracle(RULES))[0]]


def explain(log: list[Stated], members: frozenset[str], *namespaces: str) -> Answer:
    """Whether a customer has an identifier of these, by what its identifiers state."""
    happened = [Happened(keys, body) for keys, body in log if keys[0] in members]  # type: ignore[arg-type]
    whose = Whose(IDENTIFIERS.sorted(members), IDENTIFIERS)
    explainer = Explainer(World(Calendar("UTC"), "USD"), happened, DAYS[-1], whose)
    return explainer.explain(Identified(identifier=namespaces))


def without(log: list[Stated], names: tuple[str, ...]) -> list[Stated]:
    return [one for one in log if f"{one.body['source']}/{one.body['message_id']}" not in names]


@given(st.lists(identified(FEW), min_size=1, max_size=10))
@settings(max_examples=150, deadline=None)
def test_it_is_what_the_fold_says_and_otherwise_without_the_events_that_are_named(log: list[Stated]) -> None:
    for members in customers(log):
        head = IDENTIFIERS.sorted(members)[0]
        for namespace in ORDER:
            answer = explain(log, members, namespace)
            mine = {key for key in members if identity_oracle.namespace(key) == namespace}
            assert answer.holds is bool(mine)
            if answer.events:
                left = {
                    IDENTIFIERS.sorted(group)[0]: group for group in customers(without(log, answer.events))
                }
                assert mine.isdisjoint(left.get(head, ()))


def told(*log: Stated) -> Any:
    """Of Ada and her card, whether she has one and by which events."""
    (members,) = (group for group in customers([*log]) if ADA in group)
    answer = explain([*log], members, "membership_card")
    return answer.holds, answer.value, answer.events


def test_an_operators_link_is_what_a_card_rests_on() -> None:
    visits = [stated("Visit", day, ADA) for day in DAYS[:2]]
    link = linked(DAYS[2], ADA, CARD, id_="said")
    assert told(*visits, link) == (True, ["membership_card"], ("operator/said",))
    at_the_till = [stated("Visit", day, CARD, by="till") for day in DAYS[3:6]]
    assert told(*visits, link, *at_the_till) == (True, ["membership_card"], ("operator/said",))
    assert told(*visits, *at_the_till) == (False, [], ())


def test_who_has_a_card_by_an_event_too_rests_on_both() -> None:
    visits = [stated("Visit", DAYS[0], ADA), stated("Visit", DAYS[1], ADA, CARD, id_="both")]
    assert told(*visits, linked(DAYS[2], ADA, CARD, id_="said"))[2] == ("shop/both", "operator/said")


def test_what_an_operator_parted_is_not_hers_whatever_her_events_name() -> None:
    visits = [stated("Visit", DAYS[0], ADA, CARD), stated("Visit", DAYS[1], CARD)]
    assert told(*visits)[0] is True
    assert told(*visits, parted(DAYS[2], ADA, CARD)) == (False, [], ())


def test_an_older_link_does_not_count_beside_the_split_that_took_it_back() -> None:
    said = [
        linked(DAYS[1], ADA, CARD, id_="a"),
        parted(DAYS[2], ADA, CARD, id_="b"),
        linked(DAYS[3], ADA, CARD, id_="c"),
    ]
    held, _, events = told(stated("Visit", DAYS[0], ADA), *said)
    assert (held, {*events}) == (True, {"operator/a", "operator/c"})


def test_what_others_state_of_her_rests_on_no_event_of_hers() -> None:
    other = aliased(DAYS[1], ADA, CARD, id_="other")
    other.keys.insert(0, "user_id:0")
    log = [stated("Visit", DAYS[0], ADA), other]
    answer = explain(log, frozenset({ADA, CARD}), "membership_card")
    assert (answer.holds, answer.events) == (True, ())
