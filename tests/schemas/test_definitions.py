import time
from pathlib import Path

import pytest

from schemas.definitions import KINDS, MAX_FILE, PRESETS, key_of, load, parse, read_yaml, validate
from schemas.errors import ConfigError
from schemas.identity import IdentityRules
from schemas.labels import STAGES
from schemas.lifecycle import Lifecycle

SHOP = (PRESETS / "ecommerce.yaml").read_text()
HEAD = "kind: lifecycle\nname: x\nversion: 1\n"
IDENTITY = "kind: identity\nname: x\nversion: 1\n"


def nested(depth: int) -> str:
    """A lifecycle with one condition, this many `not` deep."""
    return f"{HEAD}stages:\n  - {{stage: churned, when: {'{not: ' * depth}{{did: [a]}}{'}' * depth}}}\n"


def laughs(levels: int) -> str:
    """A few lines that unfold to 50 to the power of the levels."""
    lines = ["a0: &a0 {did: [x]}"]
    lines += [f"a{n}: &a{n} {{all: [{', '.join([f'*a{n - 1}'] * 50)}]}}" for n in range(1, levels)]
    return "\n".join(lines)


BAD_FILES: dict[str, tuple[str | bytes, str]] = {
    "an unknown operator": (
        SHOP.replace("count:", "cuont:", 1),
        "stages.0.when.all.0: a condition is one of: all",
    ),
    "two operators in a node": (
        SHOP.replace("did: [", "not: {did: [a]}\n      did: [", 1),
        "stages.4.when: a condition is one",
    ),
    "no operator in a node": (
        SHOP.replace("did: [Signed Up, Account Followed]", "{}"),
        "stages.4.when: a condition is one",
    ),
    "a word for a condition": (
        SHOP.replace("did: [Signed Up, Account Followed]", "always"),
        "stages.4.when: a condition is one",
    ),
    "a wrong type": (
        SHOP.replace("at_least: 2", "at_least: many"),
        "stages.2.when.count.at_least: must be a whole number",
    ),
    "a text for a list": (
        SHOP.replace("[Signed Up, Account Followed]", "5"),
        "stages.4.when.did: must be a list",
    ),
    "an empty list": (
        SHOP.replace("[Signed Up, Account Followed]", "[]"),
        "stages.4.when.did: must have at least 1 in it",
    ),
    "a bound out of reach": (
        SHOP.replace("days: 365", "days: 0"),
        "stages.0.when.all.1.since.days: must be 1 or more",
    ),
    "an unknown key": (
        SHOP.replace("days: 365", "days: 365, weeks: 1"),
        "since.weeks: there is no such field",
    ),
    "an unknown stage": (
        SHOP.replace("stage: mature", "stage: ripe"),
        "stages.2.stage: must be 'prospect'",
    ),
    "a missing stage": (
        SHOP.replace("  - stage: prospect     # reachable\n", ""),
        "each stage stands once; missing: prospect",
    ),
    "a stage twice": (SHOP.replace("stage: mature", "stage: new"), "missing: mature; twice: new"),
    "a last stage with a condition": (
        SHOP.rstrip() + "\n    when: {did: [a]}\n",
        "the last stage, prospect, holds where no other",
    ),
    "another stage without one": (
        SHOP.replace("    when:\n      did: [Signed Up, Account Followed]\n", ""),
        "responder needs a `when`",
    ),
    "no version": (SHOP.replace("version: 1\n", ""), "version: is missing"),
    "a bad name": (SHOP.replace("name: ecommerce", "name: A Shop"), "name: must be a name: small letters"),
    "no stages": (HEAD, "stages: is missing"),
    "a syntax error": ("kind: lifecycle\nstages: [a\nname: }\n", ":3:5"),
    "a key twice": ("kind: lifecycle\nname: a\nname: b\n", "'name' stands twice in a mapping"),
    "a control character": ("kind: \x00", "unacceptable character"),
    "bytes that are not UTF-8": (b"kind: \xff", "cannot be read"),
    "a tag": ("kind: !!python/object/apply:os.system [true]", "tags are not taken"),
    "a date that is none": ("kind: 2026-13-45", "month must be in 1..12"),
    "a number without end": (f"kind: {'1' * 5000}", "cannot be read as YAML"),
    "a list as key": ("? [a]\n: b", "found unhashable key"),
    "not a mapping": ("- kind: lifecycle", "needs `kind:`"),
    "nothing": ("", "needs `kind:`"),
    "an unknown kind": ("kind: horoscope", "needs `kind:` with one of identity, lifecycle"),
    "a kind that is a list": ("kind: [lifecycle]", "needs `kind:`"),
    "a huge file": ("#" * (MAX_FILE + 1), "larger than 256 KiB"),
    "300 levels": (nested(300), "stages.0.when"),
    "10,000 levels": (nested(10_000), "nested too deeply"),
    "10,000 brackets": ("kind: " + "[" * 10_000, "nested too deeply"),
    "a billion laughs": (laughs(9), "aliases and tags are not taken: write it out"),
    "a merge of an alias": ("a: &a {b: 1}\nc: {<<: *a}", "aliases and tags are not taken"),
    "a namespace twice": (
        IDENTITY + "namespaces: [{name: a}, {name: b}, {name: a}]",
        "namespaces named twice: a",
    ),
    "an unknown normaliser": (
        IDENTITY + "namespaces: [{name: a, normalise: rot13}]",
        "namespaces.0.normalise: must be 'exact'",
    ),
    "a bad namespace": (IDENTITY + "namespaces: [{name: 'a:b'}]", "namespaces.0.name: must be a name"),
    "a uniqueness that is none": (
        IDENTITY + "namespaces: [{name: a, unique: perhaps}]",
        "namespaces.0.unique: must be true or false",
    ),
    "a sharing that is none": (
        IDENTITY + "namespaces: [{name: a}, {name: b, shared: 3}]",
        "namespaces.1.shared: must be true or false",
    ),
    "no limit": (
        IDENTITY + "namespaces: [{name: a, limit: 0}]",
        "namespaces.0.limit: must be 1 or more",
    ),
    "a limit without limits": (
        IDENTITY + "namespaces: [{name: a, limit: 101}]",
        "namespaces.0.limit: must be 100 or less",
    ),
    "a limit that is a word": (
        IDENTITY + "namespaces: [{name: a, limit: many}]",
        "limit: must be a whole number",
    ),
    "a limit that is true": (
        IDENTITY + "namespaces: [{name: a, limit: true}]",
        "limit: must be a whole number",
    ),
    "half a limit": (
        IDENTITY + "namespaces: [{name: a, limit: 2.5}]",
        "limit: must be a whole number",
    ),
    "a word too many": (
        IDENTITY + "namespaces: [{name: a, limits: 3}]",
        "namespaces.0.limits: there is no such field",
    ),
    "no namespaces": (IDENTITY + "namespaces: []", "namespaces: must have at least 1 in it"),
    "a blocked number": (IDENTITY + "namespaces: [{name: a}]\nblocked: [0]", "blocked"),
}


@pytest.mark.parametrize("fault", BAD_FILES)
def test_a_bad_file_is_an_error_that_names_file_and_place(fault: str, tmp_path: Path) -> None:
    content, place = BAD_FILES[fault]
    path = tmp_path / "definition.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    began = time.process_time()
    with pytest.raises(ConfigError) as caught:
        parse(read_yaml(path), str(path))
    assert time.process_time() - began < 2
    assert str(path) in caught.value.where
    assert place in str(caught.value)


def test_a_fault_in_a_list_is_told_once() -> None:
    data = {"kind": "identity", "name": "x", "version": 1, "namespaces": [{"name": "a", "limit": 0}]}
    with pytest.raises(ConfigError) as caught:
        parse(data, "F")
    assert "at least 1 item" not in str(caught.value)


def test_uniqueness_sharing_and_limits_have_plain_defaults() -> None:
    (given, told) = validate(
        IdentityRules,
        {
            "kind": "identity", "name": "x", "version": 1,
            "namespaces": [{"name": "a"}, {"name": "b", "unique": True, "shared": True, "limit": 3}],
        },
        "F",
    ).namespaces  # fmt: skip
    assert (given.unique, given.shared, given.limit) == (False, False, 20)
    assert (told.unique, told.shared, told.limit) == (True, True, 3)


def test_a_file_that_is_not_there_or_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file.*presets are: .*ecommerce.*gym"):
        load("gymnasium", "lifecycle")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(str(tmp_path), "lifecycle")


def test_a_preset_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="of kind lifecycle, not identity"):
        load("ecommerce", "identity")


@pytest.mark.parametrize(
    ("name", "kind", "key"),
    [
        ("ecommerce", "lifecycle", "lifecycle/ecommerce/1"),
        ("gym", "lifecycle", "lifecycle/gym/1"),
        ("default", "identity", "identity/default/1"),
    ],
)
def test_every_preset_loads_and_survives_the_log(name: str, kind: str, key: str) -> None:
    definition = load(name, kind)
    assert key_of(definition) == key
    record = definition.model_dump_json(by_alias=True)
    assert KINDS[kind].model_validate_json(record) == definition
    assert parse(definition.model_dump(mode="json", by_alias=True), "the log") == definition
    assert record == load(name, kind).model_dump_json(by_alias=True), "the same definition is the same record"


def test_a_definition_of_ones_own_loads_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(SHOP.replace("name: ecommerce", "name: mine").replace("did: [", "not:\n        did: ["))
    mine = load(str(path), "lifecycle")
    assert isinstance(mine, Lifecycle)
    assert mine.name == "mine"
    assert {rule.stage for rule in mine.stages} == set(STAGES)


def test_a_condition_of_a_hundred_levels_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "deep.yaml"
    path.write_text(
        nested(100)
        + "".join(f"  - {{stage: {s}, when: {{did: [a]}}}}\n" for s in STAGES[1:5])
        + "  - stage: prospect\n"
    )
    assert isinstance(load(str(path), "lifecycle"), Lifecycle)


def test_yaml_says_what_it_looks_like(tmp_path: Path) -> None:
    path = tmp_path / "plain.yaml"
    path.write_text(
        "region: NO\nanswer: yes\nswitch: on\nflags: [true, false]\nlevels: {a: {b: [1, 2.5, null, text]}}\n"
    )
    assert read_yaml(path) == {
        "region": "NO",
        "answer": "yes",
        "switch": "on",
        "flags": [True, False],
        "levels": {"a": {"b": [1, 2.5, None, "text"]}},
    }


def test_many_faults_are_told_together() -> None:
    with pytest.raises(ConfigError) as caught:
        validate(Lifecycle, {"kind": "lifecycle", "stages": 1}, "F")
    assert all(f"{field}: " in caught.value.what for field in ("name", "version", "stages"))
