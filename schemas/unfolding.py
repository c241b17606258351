"""What a JSON Schema unfolds to, each reference counted as what it refers to: so is its check bounded."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

MAX_UNFOLDED = 5_000
"""Keywords and schemas of one schema."""
SLOW_VALUE = 8
"""What a value of an `enum` counts that is not all texts or all whole numbers: it is compared with each in turn."""
MAX_DEPTH = 128
REF = "#/$defs/"
Place = tuple[str, ...]
Fault = tuple[Place, str]
"""Where in a schema, and what is wrong there."""

ONE = frozenset((
    "not", "if", "then", "else", "items", "contains", "additionalProperties", "propertyNames", "unevaluatedItems",
    "unevaluatedProperties",
))  # fmt: skip
LIST = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
MAP = frozenset(("properties", "patternProperties", "dependentSchemas", "$defs"))
"""Keywords that hold one schema, a list of them, and some by name."""


def target(ref: str) -> str:
    """The name in `$defs` that a reference names."""
    return unquote(ref.removeprefix(REF)).replace("~1", "/").replace("~0", "~")


def inside(node: dict[Any, Any]) -> Iterator[Any]:
    """The schemas that stand right in a schema."""
    for keyword, value in node.items():
        if keyword in ONE:
            yield value
        elif keyword in LIST and isinstance(value, list):
            yield from value
        elif keyword in MAP and isinstance(value, dict):
            yield from value.values()


class _TooDeep(ValueError):
    """A schema unfolds too deep; its argument is the name of a definition on the way, or nothing."""


def weight(schema: dict[str, Any]) -> int:
    """How many keywords and schemas one without faults unfolds to: what it costs to check one value of an event."""
    return _size({k: v for k, v in schema.items() if k != "$defs"}, schema.get("$defs", {}), {}, 0)


def unfolded(schema: dict[str, Any]) -> list[Fault]:
    """What is wrong with what a schema or one of its definitions unfolds to; its references lead somewhere."""
    defs, sizes = schema.get("$defs", {}), dict[str, int]()
    try:
        for name in defs:
            sizes[name] = _size(defs[name], defs, sizes, 0)
        size = weight(schema)
    except _TooDeep as error:
        return [(("$defs", *error.args), "refers back to itself, or too deep")]
    return [((), f"unfolds to more than {MAX_UNFOLDED:,} keywords")] if size > MAX_UNFOLDED else []


def _size(node: Any, defs: dict[str, Any], sizes: dict[str, int], depth: int) -> int:
    if not isinstance(node, dict):
        return 1
    size = len(node)
    if "$ref" in node:
        name = target(node["$ref"])
        if depth > MAX_DEPTH:
            raise _TooDeep(name)
        if name not in sizes:
            sizes[name] = _size(defs[name], defs, sizes, depth + 1)
        size += sizes[name]
    values = node.get("enum", ())
    if {type(value) for value in values} not in ({str}, {int}):
        size += SLOW_VALUE * len(values)
    return size + sum(_size(inner, defs, sizes, depth + 1) for inner in inside(node))
