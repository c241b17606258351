"""Which JSON Schemas a tracking plan may have, and what is wrong with one, in plain words with its place.

JSON Schema 2020-12 of its own: nothing is fetched, no reference leads out of the schema or back to itself, patterns
match in linear time, and a keyword that nobody would check is refused instead of ignored. So what an event costs is
bounded, and so is what a schema unfolds to.
"""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any

from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError

from schemas.json_values import unwritable
from schemas.unfolding import LIST, MAP, ONE, REF, Fault, Place, inside, target, unfolded

MAX_DEPTH = 32
PATTERN_BYTES = 1024 * 1024
SMALL_PATTERN_BYTES = 32 * 1024
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = "array, boolean, integer, null, number, object, string"
_COUNT = "must be a whole number, 0 or more"
_NUMBER = "must be a number"
_TAKES = {
    "type": f"must be one of {_TYPES}, or a list of them",
    "enum": "must be a list of values",
    "const": "must be a value",
    "multipleOf": "must be a number more than 0",
    "maximum": _NUMBER, "exclusiveMaximum": _NUMBER, "minimum": _NUMBER, "exclusiveMinimum": _NUMBER,
    "maxLength": _COUNT, "minLength": _COUNT, "maxItems": _COUNT, "minItems": _COUNT, "maxContains": _COUNT,
    "minContains": _COUNT, "maxProperties": _COUNT, "minProperties": _COUNT,
    **dict.fromkeys(("uniqueItems", "deprecated", "readOnly", "writeOnly"), "must be true or false"),
    **dict.fromkeys(("title", "description", "$comment"), "must be a text"),
    "default": "must be a value",
    "examples": "must be a list of values",
    "required": "must be a list of different names",
    "dependentRequired": "must be lists of names, by name",
    "format": "is no format that is known: date, date-time, time, duration, email, hostname, ipv4, ipv6, uri, "
    "uri-reference, uuid, json-pointer, regex",
    "pattern": "is no pattern that can be matched in linear time (no look-around, no back-references), or too large a "
    "one; for lengths there are minLength and maxLength",
}  # fmt: skip
_KEYWORDS = (*ONE, *LIST, *MAP, *_TAKES, "$ref", "$schema")


def options(pattern_bytes: int = PATTERN_BYTES) -> dict[str, Any]:
    """How every schema of a plan is compiled."""
    return {
        "validate_formats": True, "ignore_unknown_formats": False, "offline": True,
        "pattern_options": RegexOptions(size_limit=pattern_bytes, dfa_size_limit=PATTERN_BYTES),
    }  # fmt: skip


def faults(schema: dict[str, Any]) -> list[Fault]:
    """What keeps a schema from being used; empty where nothing does."""
    defs = schema.get("$defs", {})
    found = list(_walk(schema, (), defs if isinstance(defs, dict) else {}))
    if not found:
        found = unfolded(schema)
    if not found and not compiles(schema):
        found = [((), "cannot be used as a schema")]  # what no rule above foresaw
    return found


def compiles(schema: dict[str, Any], pattern_bytes: int = PATTERN_BYTES) -> bool:
    """Whether a schema of JSON values is one, with patterns that stay under this size."""
    try:
        Draft202012Validator(schema, **options(pattern_bytes))
    except (ValidationError, ValueError):
        return False
    return True


def patterns(node: Any) -> Iterator[str]:
    """Every pattern of a schema without faults."""
    if not isinstance(node, dict):
        return
    if "pattern" in node:
        yield node["pattern"]
    yield from node.get("patternProperties", ())
    for inner in inside(node):
        yield from patterns(inner)


def is_small(pattern: str) -> bool:
    """Whether a compiled pattern stays under SMALL_PATTERN_BYTES."""
    return compiles({"pattern": pattern}, SMALL_PATTERN_BYTES)


def _walk(node: Any, place: Place, defs: dict[Any, Any]) -> Iterator[Fault]:
    if isinstance(node, bool):
        return
    if not isinstance(node, dict):
        yield place, "must be a schema: a mapping, or true or false"
    elif len(place) > MAX_DEPTH:
        yield place, "nested too deeply"
    else:
        for keyword, value in node.items():
            yield from _keyword(keyword, value, place, defs)


def _keyword(keyword: Any, value: Any, place: Place, defs: dict[Any, Any]) -> Iterator[Fault]:
    here = (*place, str(keyword))
    if check := _CHECKS.get(keyword):
        yield from check(value, here, defs)
    elif fault := unwritable(value, MAX_DEPTH):
        yield here, fault
    elif keyword not in _TAKES:
        yield here, _unknown(keyword)
    elif not compiles({keyword: value}):
        yield here, _TAKES[keyword]


def _list(value: Any, here: Place, defs: dict[Any, Any]) -> Iterator[Fault]:
    """Schemas in a list."""
    if not isinstance(value, list) or not value:
        yield here, "must be a list of schemas"
        return
    for number, inner in enumerate(value):
        yield from _walk(inner, (*here, str(number)), defs)


def _map(value: Any, here: Place, defs: dict[Any, Any]) -> Iterator[Fault]:
    """Schemas by name."""
    if not isinstance(value, dict):
        yield here, "must be schemas, by name"
        return
    for name, inner in value.items():
        if fault := unwritable(name, 0) if isinstance(name, str) else "must be a text: write it in quotes":
            yield (*here, str(name)), fault
        elif here[-1] == "patternProperties" and not compiles({"pattern": name}):
            yield (*here, name), _TAKES["pattern"]
        else:
            yield from _walk(inner, (*here, name), defs)


def _definitions(value: Any, here: Place, defs: dict[Any, Any]) -> Iterator[Fault]:
    if len(here) > 1:
        yield here, "must stand at the top of the schema"
    else:
        yield from _map(value, here, defs)


def _reference(value: Any, here: Place, defs: dict[Any, Any]) -> Iterator[Fault]:
    if not isinstance(value, str) or not value.startswith(REF):
        yield here, f"only {REF}NAME of this same schema can be referred to"
    elif target(value) not in defs:
        yield here, f"there is no {value} in this schema"


def _dialect(value: Any, here: Place, _: dict[Any, Any]) -> Iterator[Fault]:
    if value != DIALECT:
        yield here, f"only {DIALECT} is spoken here"


_CHECKS: dict[Any, Callable[[Any, Place, dict[Any, Any]], Iterator[Fault]]] = {
    **dict.fromkeys(ONE, _walk),
    **dict.fromkeys(LIST, _list),
    **dict.fromkeys(MAP, _map),
    "$defs": _definitions,
    "$ref": _reference,
    "$schema": _dialect,
}


def _unknown(keyword: Any) -> str:
    close = get_close_matches(str(keyword), _KEYWORDS, 1)
    hint = f"; is {close[0]} meant?" if close else "; a property is described under `properties`"
    return f"is no keyword of JSON Schema that is checked{hint}"
