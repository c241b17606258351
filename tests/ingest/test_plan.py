"""What a tracking plan says of an event: the verdict of JSON Schema, and rules that tell nothing personal."""

import time
from typing import Any

import jsonschema
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.plan import CALLS, MAX_RULES, Compiled, compiled, of_record
from schemas import plan as plans
from schemas.json_schema import faults

ADA = {"user_id": ["ada"]}


def plan(*events: dict[str, Any], unplanned: str = "accept") -> Compiled:
    document = {"kind": "plan", "source": "shop", "unplanned": unplanned, "events": list(events)}
    return compiled(plans.parse(document, "plan.yaml"))


def rules(of: Compiled, properties: dict[str, Any], name: str = "E", version: Any = None) -> list[str]:
    return list(of.check(name, version, properties, {}, ADA)[0])


def broken(schema: dict[str, Any], properties: dict[str, Any], name: str = "E") -> list[str]:
    """The rules that properties break, without the name of the event."""
    return [
        rule.removeprefix(f"{name}@1 ")
        for rule in rules(plan({"name": name, "properties": schema}), properties, name)
    ]


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 1.0, 2.5, "", "a", "ab", "abc", "1"])
)
NAMES = st.sampled_from(["a", "b", "c", "d/e", "f~g", "x y"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
SIZES = st.integers(0, 3)
TYPES = st.sampled_from(["array", "boolean", "integer", "null", "number", "object", "string"])
KEYWORDS: dict[str, st.SearchStrategy[Any]] = {
    "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
    "enum": st.lists(SCALARS, min_size=1, max_size=3),
    "const": VALUES,
    "multipleOf": st.sampled_from([1, 2, 0.5]),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), st.integers(-2, 2)),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), SIZES),
    "pattern": st.sampled_from(["^a", "b$", "^[ab]+$", "c"]),
    "uniqueItems": st.booleans(),
    "required": st.lists(NAMES, max_size=2, unique=True),
    "dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, max_size=2, unique=True), max_size=2),
}  # fmt: skip


def applied(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas made of schemas."""
    some = st.lists(inner, min_size=1, max_size=2)
    ones = ("not", "if", "then", "else", "items", "contains", "additionalProperties", "propertyNames",
            "unevaluatedProperties", "unevaluatedItems")  # fmt: skip
    return st.fixed_dictionaries({}, optional={
        **KEYWORDS,
        **dict.fromkeys(ones, inner),
        **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), some),
        "properties": st.dictionaries(NAMES, inner, max_size=3),
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "e$"]), inner, max_size=1),
        "dependentSchemas": st.dictionaries(NAMES, inner, max_size=1),
        "$ref": st.sampled_from(["#/$defs/a", "#/$defs/d~1e", "#/$defs/x%20y"]),
    }).map(lambda schema: dict(list(schema.items())[:6]))  # fmt: skip


LEAVES = st.booleans() | st.fixed_dictionaries({}, optional=KEYWORDS).map(
    lambda schema: dict(list(schema.items())[:3])
)
SCHEMAS = st.builds(
    lambda schema, defs: {**schema, "$defs": {**dict.fromkeys(("a", "d/e", "x y"), True), **defs}},
    applied(st.recursive(LEAVES, applied, max_leaves=6)),
    st.dictionaries(st.sampled_from(["a", "d/e", "x y"]), LEAVES),
)


@given(SCHEMAS, st.dictionaries(NAMES, VALUES, max_size=4))
def test_the_verdict_is_that_of_json_schema(schema: dict[str, Any], properties: dict[str, Any]) -> None:
    assert faults(schema) == []
    checker = plan({"name": "E", "properties": schema})
    assert (not rules(checker, properties)) == jsonschema.Draft202012Validator(schema).is_valid(properties)


@given(SCHEMAS, st.dictionaries(NAMES, VALUES, max_size=4), st.text(min_size=1))
def test_a_rule_never_holds_what_only_the_sender_knows(
    schema: dict[str, Any], properties: dict[str, Any], secret: str
) -> None:
    whisper = f"<{secret}>"

    def personal(value: Any) -> Any:
        if isinstance(value, dict):
            return {**{name: personal(inner) for name, inner in value.items()}, whisper: whisper}
        if isinstance(value, list):
            return [*map(personal, value), whisper]
        return whisper if isinstance(value, str) else value

    told = rules(plan({"name": "E", "properties": schema}), personal(properties))
    assert not any(whisper in rule for rule in told)
    assert all(rule.startswith("E@1 /properties") for rule in told)


@pytest.mark.parametrize(
    ("schema", "properties", "told"),
    [
        ({"properties": {"total": {"type": "number"}}}, {"total": "x"}, ["/properties/total type"]),
        ({"required": ["a", "b"]}, {}, ["/properties/a required", "/properties/b required"]),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, ["/properties/b dependentRequired"]),
        ({"properties": {"l": {"items": {"properties": {"p": {"minimum": 0}}}}}}, {"l": [{"p": -1}, {"p": -2}]},
         ["/properties/l/*/p minimum"]),
        ({"properties": {"l": {"prefixItems": [{"type": "string"}]}}}, {"l": [1]}, ["/properties/l/0 type"]),
        ({"additionalProperties": {"type": "integer"}}, {"x@y.z": "a"}, ["/properties/* type"]),
        ({"additionalProperties": False}, {"x@y.z": "a"}, ["/properties additionalProperties"]),
        ({"patternProperties": {"^x": {"type": "integer"}}}, {"x@y.z": "a"}, ["/properties/* type"]),
        ({"propertyNames": {"maxLength": 2}}, {"x@y.z": "a"}, ["/properties propertyNames"]),
        ({"properties": {"a": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "integer"}}}, {"a": "x"},
         ["/properties/a type"]),
        ({"allOf": [{"if": {"required": ["a"]}, "then": {"required": ["b"]}}]}, {"a": 1}, ["/properties/b required"]),
        ({"properties": {"a": {"anyOf": [{"type": "string"}, {"minimum": 5}]}}}, {"a": 1}, ["/properties/a anyOf"]),
        ({"properties": {"a": False}}, {"a": 1}, ["/properties/a false"]),
        ({"properties": {"a/b": {"properties": {"~": {"type": "null"}}}}}, {"a/b": {"~": 1}},
         ["/properties/a~1b/~0 type"]),
        ({"properties": {"a; b": {"type": "null"}}}, {"a; b": 1}, ["/properties/a, b type"]),
    ],
)  # fmt: skip
def test_a_rule_says_where_in_the_event(
    schema: dict[str, Any], properties: dict[str, Any], told: list[str]
) -> None:
    assert broken(schema, properties) == told


def test_the_newest_version_holds_where_none_is_stated() -> None:
    of = plan(*({"name": "E", "version": v, "properties": {"required": [f"v{v}"]}} for v in (2, 10, 1)))
    assert rules(of, {}) == ["E@10 /properties/v10 required"]
    assert rules(of, {}, version=2) == rules(of, {}, version="2") == ["E@2 /properties/v2 required"]
    assert rules(of, {"v1": 0}, version=1) == []


@pytest.mark.parametrize("stated", [3, 0, -1, "3", "x", "", "٣", "1" * 99, 1.0, True, [], {}, 2**70])
def test_a_version_that_is_not_planned_breaks_the_event(stated: Any) -> None:
    of = plan({"name": "E", "version": 1, "on_violation": "reject"})
    assert of.check("E", stated, {}, {}, ADA) == (("E version",), True)


def test_each_version_says_what_a_violation_does() -> None:
    schema = {"required": ["a"]}
    of = plan(
        {"name": "E", "version": 1, "properties": schema, "on_violation": "reject"},
        {"name": "E", "version": 2, "properties": schema},
    )
    assert of.check("E", 1, {}, {}, ADA) == (("E@1 /properties/a required",), True)
    assert of.check("E", 2, {}, {}, ADA) == (("E@2 /properties/a required",), False)


@pytest.mark.parametrize(
    ("unplanned", "verdict"),
    [
        ("accept", ((), False)),
        ("mark", (("F, G unplanned",), False)),
        ("reject", (("F, G unplanned",), True)),
    ],
)
def test_what_is_not_in_the_plan_goes_by_its_word(unplanned: str, verdict: Any) -> None:
    of = plan({"name": "E"}, unplanned=unplanned)
    assert of.check("F; G", None, {}, {}, ADA) == verdict
    assert all(of.check(name, None, {}, {}, ADA) == ((), False) for name in CALLS)


def test_a_call_can_be_planned_by_its_name() -> None:
    of = plan(
        {
            "name": "Identified",
            "traits": {"required": ["email"], "properties": {"email": {"format": "email"}}},
        }
    )
    assert of.check("Identified", None, {}, {"email": "a@b.example"}, ADA) == ((), False)
    assert of.check("Identified", None, {}, {"email": "a"}, ADA)[0] == ("Identified@1 /traits/email format",)


def test_identifiers_must_be_there() -> None:
    of = plan({"name": "E", "identifiers": ["user_id", "wechat_openid", "shop_customer/EU"]})
    told = of.check("E", None, {}, {}, {"wechat_openid/APP": ["1"], "shop_customer/US": ["2"]})[0]
    assert told == ("E@1 /identifiers/user_id required", "E@1 /identifiers/shop_customer~1EU required")


ORDER = {"properties": {"total": {"type": "number", "minimum": 1}, "products": {"items": {"properties": {"price": {
    "type": "number"}}}}}}  # fmt: skip


def test_amounts_of_the_log_are_numbers_unless_their_schema_wants_texts() -> None:
    def told(schema: dict[str, Any], **properties: Any) -> list[str]:
        return broken(schema, properties, "Order Completed")

    assert told(ORDER, total="12.50", products=[{"price": "3"}, "odd"]) == []
    assert told(ORDER, total="0.5", products=[{"price": None}]) == [
        "/properties/total minimum", "/properties/products/*/price type",
    ]  # fmt: skip
    assert told({"properties": {"total": {"minimum": 1}}}, total="0.5") == ["/properties/total minimum"]
    assert told({"properties": {"total": {"type": "integer"}}}, total="12") == []
    text = {
        "properties": {"total": {"$ref": "#/$defs/t"}, "tax": {"type": "number"}},
        "$defs": {"t": {"type": "string"}},
    }
    assert told(text, total="12.50", tax="1") == []
    assert told({"allOf": [{"properties": {"total": {"pattern": r"^\d+\.\d\d$"}}}]}, total="12.50") == []
    assert told({"properties": {"total": {"enum": ["12.5", "1"]}}}, total="12.5") == []
    assert broken({"properties": {"total": {"type": "number"}}}, {"total": "12.5"}, "Other") == [
        "/properties/total type"
    ]


def test_what_costs_too_much_to_tell_whole_is_told_in_part_and_quickly() -> None:
    of = plan({"name": "E", "properties": {"properties": {f"p{n}": {"type": "null"} for n in range(50)}}})
    assert len(rules(of, {f"p{n}": n for n in range(50)})) == MAX_RULES
    large = plan({"name": "E", "properties": {
        "required": ["a"], "properties": {"l": {"items": {"type": "integer"}}}}})  # fmt: skip
    assert len(rules(large, {"l": ["x"] * 8_000})) == 1
    deep: Any = 1
    for _ in range(1_000):
        deep = [deep]
    assert rules(large, {"a": 1, "l": [deep]}) == ["E@1 /properties depth"]


BRANCHES = [{"properties": {f"q{n}": {"type": "string"}}, "required": [f"q{n}"]} for n in range(800)]
MIXED = [value for n in range(200) for value in (n, f"s{n}", n + 0.5)]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": "(a+)+$"}, "a" * 30_000 + "b"),
        ({"anyOf": [{"pattern": f"(a|b)*[xyz]{{3}}{n}$"} for n in range(500)]}, "ab" * 15_000),
        ({"items": {"anyOf": BRANCHES}}, [{}] * 8_000),
        ({"items": {"anyOf": BRANCHES}}, [{}] * 400),
        ({"items": {"enum": MIXED}}, [*[199.5] * 5_000, 0.25]),
        ({"items": {"anyOf": [{"const": n} for n in range(2_000)]}}, [1_999] * 10_000),
        ({"items": {"multipleOf": 1e-300}, "type": "string"}, [1.7976931348623157e308] * 1_500),
        ({"uniqueItems": True}, [*[[n] for n in range(6_000)], [0]]),
    ],
)
def test_no_event_takes_a_check_for_long(schema: dict[str, Any], value: Any) -> None:
    of = plan({"name": "E", "properties": {"properties": {"a": schema}}})
    started = time.process_time()
    assert rules(of, {"a": value})
    assert time.process_time() - started < 3


def test_a_check_costs_a_microsecond_or_a_few() -> None:
    of = plan({"name": "E", "properties": {
        "required": ["sku"], "properties": {"sku": {"type": "string"}, "price": {"type": "number"}}}})  # fmt: skip
    properties = {"sku": "a", "price": 1.5, "name": "x", "url": "y"}
    started = time.perf_counter()
    for _ in range(10_000):
        of.check("E", None, properties, {}, ADA)
    assert time.perf_counter() - started < 1, "100 microseconds an event would be felt"


def test_a_record_is_a_plan_or_a_value_error() -> None:
    planned = plans.parse(
        {"kind": "plan", "source": "shop", "events": [{"name": "E", "properties": {"required": ["a"]}}]}, "x"
    )
    record = plans.Plan(**dict(planned), version=1, published_at=0, because="x")
    assert rules(of_record(record.model_dump_json().encode()), {}) == ["E@1 /properties/a required"]
    bad = orjson.loads(record.model_dump_json())
    endless = {"$ref": "#/$defs/a", "$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}}
    values = [b"{", b"[]"]
    for schema in ({"type": "strin"}, {"$ref": "https://example.com/s"}, {"$ref": "#/$defs/a"}, endless):
        bad["events"][0]["properties"] = schema
        values.append(orjson.dumps(bad))
    for value in values:
        with pytest.raises(ValueError):
            of_record(value)
