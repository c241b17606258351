"""The definitions that a shop and a gym start with."""

from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter

from schemas.conditions import OPERATORS, Condition, HasRole, InSegment, Score, Tagged, Tier
from schemas.definitions import PRESETS, read_yaml
from schemas.labels import LABEL_KINDS
from schemas.portrait import Role, Segment, TagRules, Value
from schemas.remembered import nodes_of

Labelling = Segment | Role | TagRules | Value
FILE: TypeAdapter[list[Labelling]] = TypeAdapter(list[Annotated[Labelling, Field(discriminator="kind")]])
FOLDERS = sorted(path for path in PRESETS.iterdir() if path.is_dir())
ROLES = {"fan", "consumer", "member", "user", "promoter"}
folders = pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)


def definitions(folder: Path) -> list[Labelling]:
    return [one for path in sorted(folder.glob("*.yaml")) for one in FILE.validate_python(read_yaml(path))]


def conditions(one: Labelling) -> list[Condition]:
    if isinstance(one, TagRules):
        return [value.when for value in one.values]
    return [] if isinstance(one, Value) else [one.when]


def nodes(one: Labelling) -> Iterator[Condition]:
    for condition in conditions(one):
        yield from nodes_of(condition)


def references(one: Labelling) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Kind, name and values of the definitions that one names; a value has no name in conditions."""
    for node in nodes(one):
        match node:
            case Tagged():
                yield "tag", node.tag.name, node.tag.is_ or ()
            case InSegment():
                yield "segment", node.segment, ()
            case HasRole():
                yield "role", node.role, ()
            case Tier():
                yield "value", "customer", node.tier
            case Score():
                yield "value", "customer", ()


@folders
def test_a_preset_has_a_dozen_tags_eight_segments_the_five_roles_and_one_value(folder: Path) -> None:
    found = definitions(folder)
    counts = {kind: sum(one.kind == kind for one in found) for kind in LABEL_KINDS}
    assert counts == {"value": 1, "role": 5, "tag": 12, "segment": 8}
    assert {one.name for one in found if one.kind == "role"} == ROLES
    assert len({(one.kind, one.name) for one in found}) == len(found)
    assert (PRESETS / f"{folder.name}.yaml").exists(), "its lifecycle"


@folders
def test_every_definition_of_a_preset_says_why_it_is_there(folder: Path) -> None:
    assert [one.name for one in definitions(folder) if len(one.about) < 20] == []


@folders
def test_what_a_preset_refers_to_is_in_it_and_nothing_goes_round_in_circles(folder: Path) -> None:
    found: dict[tuple[str, str], Labelling] = {(one.kind, one.name): one for one in definitions(folder)}
    graph: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for place, one in found.items():
        graph[place] = set()
        for kind, name, values in references(one):
            named = found[kind, name]
            known: set[str] = set()
            if isinstance(named, TagRules):
                known = {value.value for value in named.values}
            elif isinstance(named, Value):
                known = {tier.tier for tier in named.tiers}
            assert set(values) <= known, f"{place} asks {name} for what it never is"
            graph[place].add((kind, name))
    assert len(list(TopologicalSorter(graph).static_order())) == len(found)


def test_the_presets_show_the_whole_language() -> None:
    used = {type(node) for folder in FOLDERS for one in definitions(folder) for node in nodes(one)}
    assert used == set(OPERATORS.values())
