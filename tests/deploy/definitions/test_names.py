"""Names as operators type them: the same everywhere."""

import pytest

from deploy.answer import named
from deploy.definitions.names import meant
from schemas.errors import ConfigError
from schemas.graph import Defined
from tests.schemas.test_graph import lifecycle, role, segment, tag, value

DID = {"did": ["Visit"]}
THERE = ["lifecycle/ecommerce", "value/customer", "segment/vip", "role/fan", "tag/fan"]
DEFINED: list[Defined] = [lifecycle(), value(), segment("vip", DID), role("fan", DID), tag("fan", x=DID)]


@pytest.mark.parametrize(
    ("given", "full"),
    [
        ("segment/vip", "segment/vip"), ("vip", "segment/vip"), ("stage", "lifecycle/ecommerce"),
        ("ecommerce", "lifecycle/ecommerce"), ("lifecycle/ecommerce", "lifecycle/ecommerce"),
        ("value", "value/customer"), ("customer", "value/customer"), ("value/customer", "value/customer"),
        ("tag/fan", "tag/fan"),
    ],
)  # fmt: skip
def test_a_full_name_a_bare_one_and_the_one_of_its_kind_are_taken(given: str, full: str) -> None:
    assert meant(THERE, given, "NAME") == full


def test_a_name_that_may_be_several_and_one_that_is_none_list_the_candidates() -> None:
    with pytest.raises(
        ConfigError, match=r"fan may be any of role/fan, tag/fan \| NAME \| name the kind too"
    ):
        meant(THERE, "fan", "NAME")
    for given in ("nosuch", "segment/nosuch", "segment/", "segment", ""):
        with pytest.raises(ConfigError) as refused:
            meant(THERE, given, "NAME")
        assert refused.value.what == f"there is no {given}"
        assert all(name in refused.value.hint for name in THERE)


@pytest.mark.parametrize(
    ("given", "kind", "name"),
    [
        ("stage", "stage", ""), ("lifecycle/ecommerce", "stage", ""), ("ecommerce", "stage", ""),
        ("value", "value", ""), ("value/worth", "value", ""), ("worth", "value", ""),
        ("mature", "stage", "mature"), ("stage/mature", "stage", "mature"), ("vip", "segment", "vip"),
        ("role/fan", "role", "fan"),
    ],
)  # fmt: skip
def test_what_is_explained_is_named_like_everything_else(given: str, kind: str, name: str) -> None:
    assert named(DEFINED, given) == (kind, name)


def test_what_cannot_be_explained_lists_what_can() -> None:
    with pytest.raises(ConfigError, match="fan may be any of role/fan, tag/fan"):
        named(DEFINED, "fan")
    with pytest.raises(ConfigError, match=r"nothing in force is named dancers.*segment/vip, stage/churned"):
        named(DEFINED, "dancers")
    with pytest.raises(ConfigError, match="nothing in force is named value"):
        named([lifecycle()], "value")
