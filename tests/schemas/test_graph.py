from itertools import permutations
from typing import Any

import pytest

from schemas.conditions import MAX_DEPTH
from schemas.definitions import load
from schemas.graph import Defined, faults, name_of, ordered, references
from schemas.lifecycle import Lifecycle
from schemas.portrait import Role, Segment, TagRules, Value

DID: dict[str, Any] = {"did": ["Visit"]}


def segment(name: str, when: Any, version: int = 1) -> Segment:
    return Segment.model_validate({"kind": "segment", "name": name, "version": version, "when": when})


def role(name: str, when: Any) -> Role:
    return Role.model_validate({"kind": "role", "name": name, "version": 1, "when": when})


def tag(name: str, **values: Any) -> TagRules:
    rules = [{"value": value, "when": when} for value, when in values.items()]
    return TagRules.model_validate({"kind": "tag", "name": name, "version": 1, "values": rules})


def value(name: str = "worth") -> Value:
    tiers = [{"tier": "gold", "points": 9}, {"tier": "bronze", "points": 0}]
    given = {"name": name, "version": 1, "frequency": {"event": "Visit"}, "tiers": tiers}
    return Value.model_validate({"kind": "value", **given})


def lifecycle() -> Lifecycle:
    found = load("ecommerce", "lifecycle")
    assert isinstance(found, Lifecycle)
    return found


CHAIN: list[Defined] = [
    segment("a", {"all": [{"segment": "b"}, {"tag": {"name": "size", "is": ["big"]}}]}),
    segment("b", {"not": {"role": "fan"}}),
    tag("size", big={"tier": ["gold"]}, small=DID),
    role("fan", {"any": [{"stage": ["new"]}, {"score": {"of": "monetary", "at_least": 3}}]}),
    value(),
    lifecycle(),
]


def test_each_comes_after_what_it_needs_whatever_the_order_of_the_files() -> None:
    assert faults(CHAIN) == []
    orders = {tuple(name_of(each) for each in ordered(some)) for some in permutations(CHAIN)}
    assert len(orders) == 1
    (names,) = orders
    for early, late in (
        ("segment/b", "segment/a"), ("tag/size", "segment/a"), ("role/fan", "segment/b"), ("value/worth", "tag/size"),
        ("lifecycle/ecommerce", "role/fan"), ("value/worth", "role/fan"),
    ):  # fmt: skip
        assert names.index(early) < names.index(late)


def test_a_reference_says_where_it_stands() -> None:
    places = [reference.place for reference in references(CHAIN[0])]
    assert places == ["when.all.0.segment", "when.all.1.tag"]
    assert [reference.place for reference in references(CHAIN[2])] == ["values.0.when.tier"]


@pytest.mark.parametrize(
    ("definitions", "fault"),
    [
        ([segment("vip", {"all": [DID, {"segment": "x"}]})], "segment/vip: when.all.1.segment: no segment named x"),
        ([segment("vip", {"not": {"role": "x"}})], "segment/vip: when.not.role: no role named x"),
        ([role("fan", {"tag": {"name": "x"}})], "role/fan: when.tag: no tag named x"),
        ([tag("t", a=DID, b={"stage": ["new"]})], "tag/t: values.1.when.stage: no lifecycle"),
        ([segment("vip", {"any": [{"score": {"of": "monetary", "at_most": 2}}]})],
         "segment/vip: when.any.0.score: no value"),
        ([value(), segment("vip", {"tier": ["gold", "lead"]})],
         "segment/vip: when.tier.1: value/worth has no lead, but gold, bronze"),
        ([tag("t", a=DID), segment("vip", {"tag": {"name": "t", "is": ["b"]}})],
         "segment/vip: when.tag.is.0: tag/t has no b, but a"),
        ([segment("a", {"segment": "a"})], "segment/a: when.segment: a cycle, segment/a -> segment/a"),
        ([segment("c", {"segment": "a"}), role("b", {"not": {"segment": "c"}}),
          segment("a", {"any": [DID, {"role": "b"}]})],
         "role/b: when.not.segment: a cycle, role/b -> segment/c -> segment/a -> role/b"),
        ([segment("a", DID), segment("a", DID, 2)], "segment/a: is there 2 times, in versions or files"),
        ([value(), value("other")], "value/worth: there is one value, and it is value/other"),
    ],
)  # fmt: skip
def test_what_cannot_be_in_force_together_is_named_with_its_place(
    definitions: list[Defined], fault: str
) -> None:
    assert faults(definitions) == [fault]


def test_conditions_are_nested_so_deep_and_no_deeper() -> None:
    def nested(depth: int) -> Any:
        return {"not": nested(depth - 1)} if depth else DID

    assert faults([segment("a", nested(MAX_DEPTH - 1))]) == []
    place = "when" + ".not" * MAX_DEPTH
    assert faults([segment("a", {"all": [DID, nested(MAX_DEPTH)]})]) == [
        f"segment/a: when.all.1{'.not' * (MAX_DEPTH - 1)}: conditions are nested {MAX_DEPTH} deep at most"
    ]
    (fault,) = faults([segment("a", nested(MAX_DEPTH))])
    assert fault.startswith(f"segment/a: {place}: ")


def test_a_lifecycle_that_asks_for_its_own_stage_is_a_cycle() -> None:
    stages = load("ecommerce", "lifecycle").model_dump(mode="json", by_alias=True)
    stages["stages"][0]["when"] = {"segment": "late"}
    asking = Lifecycle.model_validate(stages)
    found = faults([asking, segment("late", {"stage": ["silent"]})])
    cycle = "lifecycle/ecommerce -> segment/late -> lifecycle/ecommerce"
    assert found == [f"lifecycle/ecommerce: stages.0.when.segment: a cycle, {cycle}"]
