"""Amounts as a tracking plan sees them: numbers, unless its schema wants texts. Pure.

In the log the amounts of registered events are decimal strings, whether they were sent as 12.5 or as "12.50".
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from schemas.semantics import REGISTRY
from schemas.unfolding import target

Fields = dict[str, Any]
_TEXTS = frozenset(("pattern", "minLength", "maxLength", "format"))


class Amounts(NamedTuple):
    """Names of amounts that are to be numbers: of the properties, and of each line of `products`."""

    own: tuple[str, ...]
    lines: tuple[str, ...]


def amounts_of(name: str, schema: Fields) -> Amounts | None:
    """The amounts of an event's properties that this schema is to see as numbers; None where there are none."""
    semantic = REGISTRY.get(name)
    if semantic is None or semantic.entry is None or not semantic.money:
        return None
    defs: Fields = schema.get("$defs", {})
    own = list(_in_place(schema, defs))
    lines = [s for product in _under(own, "products", defs) for s in _in_place(product.get("items"), defs)]
    return Amounts(*(
        tuple(field for field in semantic.money if not any(map(_wants_text, _under(schemas, field, defs))))
        for schemas in (own, lines)
    ))  # fmt: skip


def numbers(properties: Fields, amounts: Amounts) -> Fields:
    """A copy in which these amounts are numbers; whatever is no decimal string stays as it is."""
    seen = _with_numbers(properties, amounts.own)
    lines = seen.get("products")
    if isinstance(lines, list):
        seen["products"] = [
            _with_numbers(line, amounts.lines) if isinstance(line, dict) else line for line in lines
        ]
    return seen


def _with_numbers(fields: Fields, names: tuple[str, ...]) -> Fields:
    fields = dict(fields)
    for name in names:
        value = fields.get(name)
        if type(value) is str:
            fields[name] = _number(value)
    return fields


def _number(amount: str) -> int | float | str:
    try:
        return float(amount) if "." in amount else int(amount)
    except ValueError:
        return amount


def _in_place(schema: Any, defs: Fields) -> Iterator[Fields]:
    """A schema and all that it holds against the very same value."""
    if not isinstance(schema, dict):
        return
    yield schema
    if "$ref" in schema:
        yield from _in_place(defs[target(schema["$ref"])], defs)
    for keyword in ("allOf", "anyOf", "oneOf"):
        for inner in schema.get(keyword, ()):
            yield from _in_place(inner, defs)
    for keyword in ("if", "then", "else", "not"):
        yield from _in_place(schema.get(keyword), defs)


def _under(schemas: list[Fields], name: str, defs: Fields) -> Iterator[Fields]:
    """What these say of a property."""
    for schema in schemas:
        yield from _in_place(schema.get("properties", {}).get(name), defs)


def _wants_text(schema: Fields) -> bool:
    type_ = schema.get("type")
    if isinstance(type_, list):
        return "string" in type_ and not {"number", "integer"} & set(type_)
    values = [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())]
    return type_ == "string" or (
        type_ is None and (not _TEXTS.isdisjoint(schema) or any(isinstance(value, str) for value in values))
    )
