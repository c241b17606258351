import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas import definitions
from schemas.definitions import PRESETS
from schemas.errors import ConfigError
from schemas.folders import checked, folder_of, load, read
from schemas.graph import name_of
from schemas.lifecycle import Lifecycle

HEAD = {"kind": "segment", "name": "vip", "version": 1}
DID: dict[str, Any] = {"did": {"event": "Visit"}}


def written(folder: Path, *documents: Any, name: str = "mine.yaml") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(list(documents)))
    return folder


def refused(folder: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(str(folder))
    assert str(folder) in caught.value.where
    return caught.value.what


BAD_CONDITIONS: list[tuple[Any, str]] = [
    ({"xor": [DID, DID]}, "when: a condition is one of: all, any, not, did"),
    ({"all": [DID, {"sql": "1"}]}, "when.all.1: a condition is one of"),
    ({"all": [DID, {"did": "a", "not": DID}]}, "when.all.1: a condition is one of"),
    ({"any": [DID, {"not": {"any": []}}]}, "when.any.1.not.any: must have at least 1 in it"),
    ("visits > 3", "when: a condition is one of"),
    ({"did": {"event": "Visit", "at_least": "many"}}, "when.did.at_least: must be a whole number"),
    ({"did": {"event": "Visit", "at_least": 3, "at_most": 2}}, "when.did: at_least is greater than at_most"),
    ({"did": {"event": "Visit", "exactly": 3, "at_most": 5}}, "when.did: takes exactly, or at_least and at_most"),
    ({"did": {"at_least": 3}}, "when.did.event: is missing"),
    ({"did": {"event": "Visit", "within": {}}}, "when.did.within.from: is missing"),
    ({"did": {"event": "Visit", "within": {"from": "2026-01-01"}}}, "when.did.within.to: is missing"),
    ({"did": {"event": "Visit", "within": {"to": "2026-01-01"}}}, "when.did.within.from: is missing"),
    ({"did": {"event": "Visit", "within": {"from": "2026-02-30", "to": "2026-03-01"}}}, "when.did.within.from: "),
    ({"did": {"event": "Visit", "within": {"from": "2026-02-02", "to": "2026-02-01"}}},
     "when.did.within.from: from is later than to"),
    ({"did": {"event": "Visit", "at_least": True}}, "when.did.at_least: must be a whole number"),
    ({"did": {"event": "Visit", "at_least": "3"}}, "when.did.at_least: must be a whole number"),
    ({"did": {"event": "Visit", "within": {"last_days": "30"}}}, "when.did.within.last_days: must be a whole number"),
    ({"did": {"event": "Visit", "within": {"from": 0, "to": "2026-01-01"}}},
     "when.did.within.from: a day is written as 2026-12-31"),
    ({"did": {"event": "Visit", "within": {"from": "2026-01-01T10:00", "to": "2026-01-01"}}},
     "when.did.within.from: a day is written as 2026-12-31"),
    ({"trait": {"name": "a", "exists": "yes"}}, "when.trait.exists: must be true or false"),
    ({"revenue": {"at_least": True}}, "when.revenue.at_least: must be a number"),
    ({"revenue": {"at_least": "1e999"}}, "when.revenue.at_least: "),
    ({"did": {"event": "Visit", "within": 30}}, "when.did.within: must be a mapping"),
    ({"did": {"event": "Visit", "within": {"last_days": 0}}}, "when.did.within.last_days: must be 1 or more"),
    ({"did": {"event": "Visit", "within": {"last_days": 401}}}, "when.did.within.last_days: must be 400 or less"),
    ({"did": {"event": "Visit", "within": {"last_days": None}}}, "when.did.within.last_days: must be a whole number"),
    ({"did": {"event": "Visit", "within": {"last_days": 3, "hours": 2}}}, "when.did.within.hours: there is no such"),
    ({"did": {"event": "Visit", "within": {"more_than_days_ago": 3}}},
     "when.did.within: takes one of 'last_days', 'from', not more_than_days_ago"),
    ({"sequence": {"steps": [{"event": "A"}, {"event": "B"}], "within": {}}},
     "when.sequence.within: takes exactly one of minutes, hours, days"),
    ({"sequence": {"steps": [{"event": "A"}, {"event": "B"}]}}, "when.sequence.within: is missing"),
    ({"sequence": {"steps": [{"event": "A"}], "within": {"days": 1}}}, "when.sequence.steps: must have at least 2"),
    ({"sum": {"event": "Order", "property": "total"}}, "when.sum: needs one of at_least, at_most"),
    ({"interest": {"event": "View", "property": "category", "is": ["x"]}}, "when.interest: needs one of top, at_least"),
    ({"trait": {"name": "region"}}, "when.trait: takes exactly one of is, is_not, one_of, exists"),
    ({"trait": {"name": "region", "is": ["a"]}}, "when.trait.is: "),
    ({"count": {"of": 5, "at_least": 1}}, "when.count.of: "),
    ({"stage": ["ripe"]}, "when.stage.0: must be 'prospect'"),
    ({"segment": "VIP"}, "when.segment: must be a name: small letters"),
    ({"segment": "vip; DROP TABLE x"}, "when.segment: must be a name: small letters"),
    ({"did": ["Visit' OR 1=1 --"]}, "when.did.0: looks like SQL"),
    ({"any": [{"did": "x'; DROP TABLE y"}, DID]}, "when.any.0.did: looks like SQL"),
    ({"any": [DID, {"not": {"did": {"event": "x'; DROP TABLE y"}}}]}, "when.any.1.not.did.event: looks like SQL"),
    ({"any": [{"did": ["a", "x'; DROP TABLE y"]}, DID]}, "when.any.0.did.1: looks like SQL"),
    ({"did": {"event": "x", "where": [{"property": "a", "is": "(SELECT name FROM users)"}]}},
     "when.did.where.0.is: looks like SQL"),
    ({"did": {"event": "x", "where": [{"property": "system.tables", "is": "a"}]}},
     "when.did.where.0.property: looks like a database's identifier"),
    ({"trait": {"name": "a", "one_of": ["b", "url('http://evil')"]}},
     "when.trait.one_of.1: looks like a table function"),
    ({"trait": {"name": "a", "is_not": "{{ secret }}"}}, "when.trait.is_not: looks like a template"),
    ({"trait": {"name": "${HOME}", "exists": True}}, "when.trait.name: looks like a template"),
    ({"latest": {"event": "a", "property": "b", "is": "__import__('os')"}}, "when.latest.is: looks like"),
    ({"latest": {"event": "a", "property": "dictGet('d', 'x', 1)", "is": "a"}}, "when.latest.property: "),
    ({"identifier": "email\u0000"}, "when.identifier: must not hold control characters"),
    ({"channel": {"of": "web", "at_least": True and "x"}}, "when.channel.at_least: must be a whole number"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("when", "fault"), BAD_CONDITIONS, ids=[str(when)[:60] for when, _ in BAD_CONDITIONS]
)
def test_a_condition_that_is_none_is_refused_with_the_path_of_its_node(
    when: Any, fault: str, tmp_path: Path
) -> None:
    assert f"segment/vip: {fault}" in refused(written(tmp_path / "d", HEAD | {"when": when}))


def test_what_looks_like_code_is_refused_in_words_for_people_too(tmp_path: Path) -> None:
    bad = HEAD | {"when": DID, "about": "the best\n{{ all }} of them"}
    assert "segment/vip: about: looks like a template" in refused(written(tmp_path / "d", bad))
    good = HEAD | {"when": DID, "about": "the best\nof them all"}
    assert load(str(written(tmp_path / "d", good)))


def test_a_place_in_a_tag_and_in_a_value_is_that_of_the_file(tmp_path: Path) -> None:
    tag = {
        "kind": "tag",
        "name": "t",
        "version": 1,
        "values": [{"value": "a", "when": DID}, {"value": "b", "when": {}}],
    }
    value = {
        "kind": "value",
        "name": "v",
        "version": 1,
        "frequency": {"event": []},
        "tiers": [{"tier": "a", "points": 0}],
    }
    told = refused(written(tmp_path / "d", tag, value, "x", {"kind": "segment", "name": "a"}))
    assert told.splitlines() == [
        "tag/t: values.1.when: a condition is one of: " + told.splitlines()[0].partition("one of: ")[2],
        "  value/v: frequency.event: must have at least 1 in it (mine.yaml:1)",
        f"  definition 3: a definition needs `kind:` with one of {', '.join(definitions.KINDS)} (mine.yaml:1)",
        "  segment/a: when: is missing (mine.yaml:1)",
    ]


def test_faults_of_all_files_are_told_with_the_files(tmp_path: Path) -> None:
    written(tmp_path / "d", HEAD | {"when": {}}, name="a.yaml")
    written(tmp_path / "d", HEAD | {"when": {}, "name": "b"}, name="b.yaml")
    (tmp_path / "d" / "c.yaml").write_text("a: [")
    with pytest.raises(ConfigError) as caught:
        load(str(tmp_path / "d"))
    assert [Path(each.split(":")[0]).name for each in caught.value.where.split(", ")] == [
        "a.yaml",
        "b.yaml",
        "c.yaml",
    ]
    assert len(caught.value.what.splitlines()) == 3


def test_form_and_references_are_told_together_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "segments.yaml").write_text("""\
# whom a shop works with
- kind: segment
  name: asks
  when:
    all:
      - did: [Visit]
      - segment: nobody
      - segment: broken

- kind: segment
  name: broken
  when:
    did:
      event: Visit
      at_least: many
""")
    assert refused(tmp_path).splitlines() == [
        "segment/broken: when.did.at_least: must be a whole number (segments.yaml:15)",
        "  segment/asks: when.all.1.segment: no segment named nobody (segments.yaml:7)",
    ]


def test_where_a_file_cannot_be_read_nothing_is_said_to_be_missing(tmp_path: Path) -> None:
    written(tmp_path / "d", HEAD | {"when": {"segment": "elsewhere"}}, name="a.yaml")
    (tmp_path / "d" / "b.yaml").write_text("- kind: segment\n  name: [")
    (fault,) = refused(tmp_path / "d").splitlines()
    assert fault.startswith("b.yaml:2:10: cannot be read as YAML")


def test_a_definition_without_a_version_is_taken_and_told(tmp_path: Path) -> None:
    bare = {"kind": "segment", "name": "bare", "when": DID}
    found = read(written(tmp_path / "d", HEAD | {"when": DID, "version": 3}, bare))
    assert [(each.name, each.version) for each in checked(found)] == [("vip", 3), ("bare", 1)]
    assert found.unversioned == {"segment/bare"}


def test_many_faults_are_counted(tmp_path: Path) -> None:
    told = refused(written(tmp_path / "d", *(HEAD | {"name": f"s{n}", "when": {}} for n in range(30))))
    assert told.splitlines()[-1] == "  and 20 more"


def test_references_are_checked_over_all_files(tmp_path: Path) -> None:
    written(tmp_path / "d", HEAD | {"when": {"segment": "b"}}, name="a.yaml")
    written(tmp_path / "d", HEAD | {"name": "b", "when": {"not": {"segment": "vip"}}}, name="b.json")
    assert (
        refused(tmp_path / "d")
        == "segment/b: when.not.segment: a cycle, segment/b -> segment/vip -> segment/b (b.json:1)"
    )
    written(tmp_path / "d", HEAD | {"name": "b", "when": DID}, name="b.json")
    assert [name_of(each) for each in load(str(tmp_path / "d"))] == ["segment/vip", "segment/b"]


def test_identity_rules_and_data_are_no_part_of_a_model(tmp_path: Path) -> None:
    rules = yaml.safe_load((PRESETS / "identity.yaml").read_text())
    told = refused(written(tmp_path / "d", rules))
    kinds = "value, lifecycle, role, tag, segment"
    assert told == f"identity/default: kind identity is no part of a model, which has {kinds} (mine.yaml:1)"


def test_a_lifecycle_is_added_where_the_folder_has_none(tmp_path: Path) -> None:
    shop = definitions.load("ecommerce", "lifecycle")
    assert isinstance(shop, Lifecycle)
    asks = HEAD | {"when": {"stage": ["new"]}}
    folder = read(written(tmp_path / "d", asks))
    with pytest.raises(ConfigError, match=r"segment/vip: when\.stage: no lifecycle"):
        checked(folder)
    assert [name_of(each) for each in checked(folder, shop)] == ["segment/vip", "lifecycle/ecommerce"]
    gym = yaml.safe_load((PRESETS / "gym.yaml").read_text())
    both = read(written(tmp_path / "d", asks, gym))
    assert [name_of(each) for each in checked(both, shop)] == ["segment/vip", "lifecycle/gym"]


def test_folders_that_are_none(tmp_path: Path) -> None:
    for name in ("", "nothing", str(tmp_path / "nothing")):
        with pytest.raises(ConfigError, match=r"no such folder.*presets are: ecommerce, gym"):
            folder_of(name)
    with pytest.raises(ConfigError, match="a folder without definitions"):
        load(str(tmp_path))


@pytest.mark.parametrize("name", ["ecommerce", "gym"])
def test_each_preset_can_be_in_force(name: str) -> None:
    lifecycle = definitions.load(name, "lifecycle")
    assert isinstance(lifecycle, Lifecycle)
    assert len(load(name, lifecycle)) > 20
