"""Which tracking plans are refused, and in what words."""

import time
from pathlib import Path

import orjson
import pytest

from schemas import plan as plans
from schemas.errors import ConfigError
from schemas.plan import Plan, Planned

EVENT = "kind: plan\nsource: shop\nevents:\n- name: Order Completed\n  properties: "
LINEAR = "is no pattern that can be matched in linear time"


def load(tmp_path: Path, text: str) -> Planned:
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    return plans.load(path)


def refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as told:
        load(tmp_path, text)
    assert told.value.where.startswith(str(tmp_path / "plan.yaml"))
    return told.value.what


@pytest.mark.parametrize(
    ("schema", "what"),
    [
        ("{type: strin}", "type: must be one of array, boolean, integer"),
        ("{properties: {a: {minLength: -1}}}", "properties.a.minLength: must be a whole number, 0 or more"),
        ("{properties: {a: {format: nope}}}", "properties.a.format: is no format that is known: date,"),
        ("{properties: {a: {pattern: '(?=a)b'}}}", f"properties.a.pattern: {LINEAR}"),
        ("{properties: {a: {pattern: '(a)\\1'}}}", f"properties.a.pattern: {LINEAR}"),
        ("{properties: {a: {pattern: '(a{1000}){1000}'}}}", f"properties.a.pattern: {LINEAR}"),
        ("{patternProperties: {'(a': {}}}", f"patternProperties.(a: {LINEAR}"),
        ("{order_id: {type: string}}", "order_id: is no keyword of JSON Schema that is checked; a property is"),
        ("{propertis: {}}", "propertis: is no keyword of JSON Schema that is checked; is properties meant?"),
        ("{$ref: 'https://example.com/s'}", "$ref: only #/$defs/NAME of this same schema can be referred to"),
        ("{$ref: 'file:///etc/passwd'}", "$ref: only #/$defs/NAME"),
        ("{$ref: '#'}", "$ref: only #/$defs/NAME"),
        ("{$ref: 1}", "$ref: only #/$defs/NAME"),
        ("{$ref: '#/$defs/a'}", "$ref: there is no #/$defs/a in this schema"),
        ("{$ref: '#/$defs/a', $defs: []}", "$ref: there is no #/$defs/a in this schema"),
        ("{$defs: {a: {not: {$ref: '#/$defs/b'}}, b: {not: {$ref: '#/$defs/a'}}}}", ": refers back to itself"),
        ("{properties: {a: {$defs: {}}}}", "properties.a.$defs: must stand at the top of the schema"),
        ("{$id: 'https://example.com/s'}", "$id: is no keyword"),
        ("{$dynamicRef: '#a'}", "$dynamicRef: is no keyword"),
        ("{$schema: 'http://json-schema.org/draft-07/schema#'}", "$schema: only https://json-schema.org/draft/2020-12/"),
        ("{required: a}", "required: must be a list of different names"),
        ("{required: [a, a]}", "required: must be a list of different names"),
        ("{enum: [2026-01-01]}", "enum: must be written in quotes, as every day and time"),
        ("{const: [{1: a}]}", "const: has a name that is no text: write it in quotes"),
        ("{properties: {1: {}}}", "properties.1: must be a text: write it in quotes"),
        ("{maximum: .inf}", "maximum: is no number that JSON has"),
        ("{maximum: 99999999999999999999}", "maximum: is a number of more than 64 bits"),
        ('{const: "\\ud800"}', "const: is no text that can be written as UTF-8"),
        ("{const: " + "[" * 40 + "]" * 40 + "}", "const: nested too deeply"),
        ("3", "must be a mapping"),
        ("{properties: 3}", "properties: must be schemas, by name"),
        ("{properties: {a: 3}}", "properties.a: must be a schema: a mapping, or true or false"),
        ("{items: [{}]}", "items: must be a schema"),
        ("{anyOf: []}", "anyOf: must be a list of schemas"),
        ("{description: 3}", "description: must be a text"),
        ("{properties: {a: " * 40 + "true" + "}}" * 40, "nested too deeply"),
    ],
)  # fmt: skip
def test_what_is_no_schema_is_refused_at_its_place(tmp_path: Path, schema: str, what: str) -> None:
    told = refused(tmp_path, EVENT + schema)
    assert told.startswith("events.0.properties")
    assert what in told


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("kind: plan\nsource: shop\nevents: [{name: A}, {name: A}]", "events.1: 'A' version 1 stands twice"),
        ("kind: plan\nsource: shop\nevents: [{name: '  '}]", "events.0.name: must be a text in one line, not blank"),
        ('kind: plan\nsource: shop\nevents: [{name: "a\\nb"}]', "events.0.name: must be a text in one line"),
        ("kind: plan\nsource: shop\nevents: [{name: A, version: 1.5}]", "events.0.version: must be a whole number"),
        ("kind: plan\nsource: shop\nevents: [{name: A, version: 0}]", "events.0.version: must be 1 or more"),
        ("kind: plan\nsource: shop\nevents: [{name: A, identifiers: [E-mail]}]", "identifiers.0: must be a namespace"),
        ("kind: plan\nsource: shop\nevents: [{name: A, on_violation: drop}]", "on_violation: must be 'mark' or"),
        ("kind: plan\nsource: shop\nevents: [{name: A, schema: {}}]", "events.0.schema: there is no such field"),
        ("kind: plan\nsource: shop\nunplanned: maybe", "unplanned: must be 'accept', 'mark' or 'reject'"),
        ("kind: plan\nevents: []", "source: is missing"),
        ("kind: segment\nsource: shop", "kind: must be 'plan'"),
        ("- 1", "the document: must be a mapping"),
        ("kind: plan\nsource: &s shop\nevents: [{name: *s}]", "aliases and tags are not taken"),
        ("kind: plan\nkind: plan", "'kind' stands twice in a mapping"),
        ("kind: plan\n" + "#" * 300_000, "larger than 256 KiB"),
        ("kind: plan\nsource: shop\nevents:\n" + "".join(f"- name: E{n}\n" for n in range(501)), "events: must have"),
    ],
)  # fmt: skip
def test_what_is_no_plan_is_refused_at_its_place(tmp_path: Path, text: str, what: str) -> None:
    assert what in refused(tmp_path, text)


def test_every_fault_is_told_together(tmp_path: Path) -> None:
    told = refused(tmp_path, EVENT + "{type: x, required: 1}\n  traits: {format: y}")
    assert [word in told for word in ("properties.type", "properties.required", "traits.format")] == [
        True
    ] * 3


def test_nothing_that_is_refused_takes_long(tmp_path: Path) -> None:
    """Schemas that unfold without end, patterns that fill the memory."""
    steps = ", ".join(
        f"a{n}: {{anyOf: [{{$ref: '#/$defs/a{n + 1}'}}, {{$ref: '#/$defs/a{n + 1}'}}]}}" for n in range(60)
    )
    letters = ", ".join(f"p{n}: {{pattern: '^\\p{{L}}{{1,20}}$'}}" for n in range(400))
    chain = ", ".join(f"a{n}: {{$ref: '#/$defs/a{n + 1}'}}" for n in range(2_000))
    started = time.monotonic()
    assert "unfolds to more than" in refused(
        tmp_path, EVENT + f"{{$ref: '#/$defs/a0', $defs: {{{steps}, a60: true}}}}"
    )
    assert "too many patterns, or too large ones" in refused(
        tmp_path, EVENT + f"{{properties: {{{letters}}}}}"
    )
    assert "or too deep" in refused(tmp_path, EVENT + f"{{$defs: {{{chain}, a2000: true}}}}")
    assert time.monotonic() - started < 20


def test_a_plan_of_names_the_platform_reads_and_of_nothing_is_a_plan(tmp_path: Path) -> None:
    shared = "{properties: {total: {$ref: '#/$defs/an amount'}}, $defs: {an amount: {type: number}}}"
    assert "there is no" in refused(tmp_path, EVENT + shared.replace("an amount'", "other'"))
    assert load(tmp_path, EVENT + shared.replace("an amount'", "an%20amount'")).events[0].version == 1
    load(tmp_path, EVENT + "{$defs: {'a%20b~1': {type: string}, b: {$ref: '#/$defs/a%2520b~01'}}}")
    assert load(tmp_path, "kind: plan\nsource: shop").events == ()


def test_the_newest_version_holds() -> None:
    def record(source: str, version: int) -> tuple[str, bytes]:
        made = Plan(kind="plan", source=source, version=version, published_at=0, because="x")
        return plans.key_of(made), orjson.dumps(made.model_dump())

    records = dict(
        [
            record("shop", 2),
            record("shop", 10),
            record("shop", 9),
            record("shop-2", 11),
            ("source/shop", b"{}"),
        ]
    )
    newest = plans.newest(records, "shop")
    assert newest is not None
    assert newest.version == 10
    assert plans.newest(records, "web") is None


def test_the_plan_of_the_documentation_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/tracking-plan.md").read_text()
    shown = load(tmp_path, page.split("```yaml\n")[1].split("```")[0])
    assert [(event.name, event.version, event.on_violation) for event in shown.events] == [
        ("Order Completed", 2, "reject"), ("Order Completed", 1, "mark"), ("Identified", 1, "mark"),
    ]  # fmt: skip
