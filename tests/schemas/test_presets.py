"""The definitions that a shop and a gym start with."""

from pathlib import Path

import pytest

from schemas import folders
from schemas.conditions import OPERATORS
from schemas.definitions import PRESETS, load
from schemas.graph import Defined, conditions_of
from schemas.labels import LABEL_KINDS
from schemas.lifecycle import Lifecycle
from schemas.remembered import nodes_of

FOLDERS = sorted(path for path in PRESETS.iterdir() if path.is_dir())
ROLES = {"fan", "consumer", "member", "user", "promoter"}
presets = pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)


def definitions(folder: Path) -> list[Defined]:
    found = folders.read(folder)
    assert len(found.unversioned) == len(found.definitions), "so that a copy can be edited in place"
    return list(found.definitions)


@presets
def test_a_preset_can_be_in_force_with_the_lifecycle_of_its_name(folder: Path) -> None:
    lifecycle = load(folder.name, "lifecycle")
    assert isinstance(lifecycle, Lifecycle)
    assert len(folders.load(folder.name, lifecycle)) == len(definitions(folder)) + 1


@presets
def test_a_preset_has_a_dozen_tags_eight_segments_the_five_roles_and_one_value(folder: Path) -> None:
    found = definitions(folder)
    counts = {kind: sum(one.kind == kind for one in found) for kind in LABEL_KINDS}
    assert counts == {"value": 1, "role": 5, "tag": 12, "segment": 8}
    assert {one.name for one in found if one.kind == "role"} == ROLES
    assert len({(one.kind, one.name) for one in found}) == len(found)
    assert (PRESETS / f"{folder.name}.yaml").exists(), "its lifecycle"


@presets
def test_every_definition_of_a_preset_says_why_it_is_there(folder: Path) -> None:
    assert [one.name for one in definitions(folder) if len(one.about) < 20] == []


def test_the_presets_show_the_whole_language() -> None:
    found = [one for folder in FOLDERS for one in definitions(folder)]
    conditions = [condition for one in found for _, condition in conditions_of(one)]
    assert {type(node) for condition in conditions for node in nodes_of(condition)} == set(OPERATORS.values())
