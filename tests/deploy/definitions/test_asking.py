from typing import Any

import pytest

from deploy.definitions.asking import affected, named
from schemas.errors import ConfigError
from schemas.graph import Defined, name_of
from tests.schemas.test_graph import lifecycle, role, segment, tag, value

DID: dict[str, Any] = {"did": {"event": "Visit"}}


def names(before: list[Defined], after: list[Defined]) -> list[tuple[str | None, str | None]]:
    found = affected(before, after)
    return [(name_of(was) if was else None, name_of(now) if now else None) for was, now in found]


def test_what_differs_and_all_that_needs_it_is_affected() -> None:
    before: list[Defined] = [
        segment("a", DID), segment("b", {"not": {"segment": "a"}}), role("c", {"segment": "b"}),
        segment("d", DID), tag("e", x={"role": "c"}),
    ]  # fmt: skip
    after: list[Defined] = [segment("a", {"not": DID}, 2), *before[1:]]
    assert names(before, after) == [(n, n) for n in ("role/c", "segment/a", "segment/b", "tag/e")]
    assert names(before, before) == []


def test_new_ones_and_those_that_are_no_more_have_one_side() -> None:
    assert names([segment("a", DID)], [segment("b", DID)]) == [("segment/a", None), (None, "segment/b")]
    gone: list[Defined] = [segment("a", {"role": "b"}), role("b", DID)]
    assert names(gone, [segment("a", DID, 2)]) == [("role/b", None), ("segment/a", "segment/a")]


def test_of_lifecycle_and_value_there_is_one_whatever_its_name() -> None:
    mine = lifecycle().model_copy(update={"name": "mine"})
    asks: list[Defined] = [segment("a", {"stage": ["new"]}), segment("b", {"tier": ["gold"]})]
    assert names([lifecycle(), value(), *asks], [mine, value("other"), *asks]) == [
        ("lifecycle/ecommerce", "lifecycle/mine"), ("segment/a", "segment/a"), ("segment/b", "segment/b"),
        ("value/worth", "value/other"),
    ]  # fmt: skip


def test_a_definition_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(ConfigError) as caught:
        named([segment("a", DID), role("b", DID)], "segment/x")
    assert (caught.value.what, caught.value.hint) == ("there is no segment/x", "there are role/b, segment/a")
