import copy
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import facts
from schemas.facts import (
    Part,
    bound_days,
    bound_names,
    greatest,
    identifiers_of,
    least,
    new_part,
    put_trait,
    union,
)
from schemas.semantics import SEMANTICS
from tests.schemas.statements import Statement, posted, statements

Fact = tuple[str, int, int, dict[str, Any]]  # name, occurred_at, message number, traits
some_facts: st.SearchStrategy[list[Fact]] = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d", "e", "Visit", "Signed Up"]),
        st.integers(-3, 8),
        st.integers(1, 2),
        st.dictionaries(st.sampled_from("pqrstu"), st.sampled_from([1, 2, "x", None, True, [1]]), max_size=3),
    ),
    min_size=1,
    max_size=15,
)


@pytest.fixture(autouse=True, scope="module")
def _small_bounds() -> Any:
    """Bounds that a few events reach."""
    with pytest.MonkeyPatch.context() as patch:
        for bound in ("MAX_NAMES", "MAX_DAYS", "MAX_TRAITS", "MAX_IDENTIFIERS"):
            patch.setattr(facts, bound, 3)
        yield


def fold(stated: list[Fact]) -> Part:
    """A part that saw these, in this order; a day here is one instant."""
    part = new_part(stated[0][1])
    for name, at, number, traits in stated:
        part["events"] += 1
        part["first"], part["last"] = min(part["first"], at), max(part["last"], at)
        part["own_first"], part["own_last"] = least(part["own_first"], at), greatest(part["own_last"], at)
        mine = part["names"].setdefault(name, [0, at, at])
        mine[:] = [mine[0] + 1, min(mine[1], at), max(mine[2], at)]
        bound_names(part)
        part["days"][str(at)] = part["days"].get(str(at), 0) + 1
        bound_days(part["days"])
        for key, value in traits.items():
            put_trait(part["traits"], key, [at, str(number), value])
    return part


@given(some_facts, st.data())
def test_any_order_gives_the_same_part_also_at_its_bounds(stated: list[Fact], data: st.DataObject) -> None:
    assert fold(data.draw(st.permutations(stated))) == fold(stated)


@given(some_facts)
def test_what_is_bounded_is_counted_in_full(stated: list[Fact]) -> None:
    part, counts = fold(stated), Counter(name for name, *_ in stated)
    registered = {semantic.name for semantic in SEMANTICS}
    others = sorted(counts.keys() - registered)
    kept = {*others[:3], *(counts.keys() & registered)}
    assert {name: count for name, (count, _, _) in part["names"].items()} == {n: counts[n] for n in kept}
    assert part["other_names"] == sum(counts[name] for name in others[3:])
    days = Counter(at for _, at, *_ in stated)
    assert part["days"] == {str(day): days[day] for day in sorted(days)[-3:]}
    traits = {key for *_, stated_traits in stated for key in stated_traits}
    assert sorted(part["traits"]) == sorted(traits)[:3]


@given(st.lists(some_facts, min_size=1, max_size=4), statements, st.data())
def test_a_union_of_parts_is_the_part_that_saw_all(
    logs: list[list[Fact]], stated: list[Statement], data: st.DataObject
) -> None:
    parts = [fold(log) for log in logs]
    for n, part in enumerate(parts):
        part["books"] = posted(stated[n :: len(parts)])
    before = copy.deepcopy(parts)
    whole = fold([fact for log in logs for fact in log])
    whole["books"] = posted(stated)
    assert union(parts) == whole
    assert union(data.draw(st.permutations(parts))) == whole
    cut = data.draw(st.integers(1, len(parts)))
    assert union([union(parts[:cut]), *parts[cut:]]) == whole, "in any grouping"
    assert parts == before, "and changes none of them"


@given(some_facts)
def test_all_but_counts_is_the_same_when_united_with_itself(stated: list[Fact]) -> None:
    part = fold(stated)
    twice = union([part, part])
    for key in ("first", "last", "own_first", "own_last", "traits", "identifiers", "books"):
        assert twice[key] == part[key]
    assert twice["events"] == 2 * part["events"]


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=4), min_size=1, max_size=4), st.data())
def test_identifiers_kept_are_the_first_in_any_order(values: list[list[str]], data: st.DataObject) -> None:
    def part_of(some: list[str]) -> Part:
        first = sorted(set(some))[:3]
        return {**new_part(0), "identifiers": {"device_id": {value: f"device_id:{value}" for value in first}}}

    expected = sorted({value for some in values for value in some})[:3]
    parts = [part_of(some) for some in data.draw(st.permutations(values))]
    whole = union(parts)
    assert set(whole["identifiers"].get("device_id", ())) == set(expected)
    keys = [f"device_id:{value}" for value in expected]
    assert identifiers_of([whole], keys).get("device_id", []) == expected
    assert identifiers_of([whole], ["device_id:none"]) == {}


def test_two_values_stated_at_once_are_decided_by_what_they_are() -> None:
    one: dict[str, list[Any]] = {}
    other: dict[str, list[Any]] = {}
    for traits, values in ((one, ["gold", "blue"]), (other, ["blue", "gold"])):
        for value in values:
            put_trait(traits, "favourite", [1, "m", value])
    assert one == other == {"favourite": [1, "m", "gold"]}


def test_a_part_is_plain_json() -> None:
    part = union([fold([("a", 1, 1, {"p": "x"})]), fold([("b", 2, 1, {})])])
    assert json.loads(json.dumps(part)) == part
