"""The properties or the traits of an event held to their JSON Schema, at a bounded cost. Pure."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, NamedTuple

from jsonschema_rs import Draft202012Validator, ValidationError

from ingest.bodies import MAX_EVENT
from ingest.rules import pointer, rule_of
from schemas.json_schema import options
from schemas.unfolding import weight

Fields = dict[str, Any]
MAX_COST = 5_000_000
"""Values of an event times weight of its schema, most of which cost nothing; the worst are a second."""
MAX_TELLING = 20_000
"""The same, up to which all broken rules are told; beyond, the first."""
LIGHT = MAX_COST * 2 // MAX_EVENT
"""The weight of a schema to which no event is too large."""


class Part(NamedTuple):
    """A compiled schema, and of what: `properties` or `traits`."""

    name: str
    is_valid: Callable[[Any], bool]
    schema: Draft202012Validator
    weight: int


def part_of(name: str, schema: Fields | None) -> Part | None:
    """A schema, compiled; None where there is none, or one that asks nothing."""
    if not schema:
        return None
    validator = Draft202012Validator(schema, **options())
    return Part(name, validator.is_valid, validator, weight(schema))


def broken(part: Part | None, value: Fields) -> Iterable[str]:
    """The rules of one part that are broken, each once."""
    if part is None:
        return ()
    try:
        if part.weight > LIGHT and _exceeds(value, MAX_COST // part.weight):
            return (f"{pointer(part.name)} size",)
        if part.is_valid(value):
            return ()
        return dict.fromkeys(rule_of(part.name, error) for error in _errors(part, value))
    except ValueError:  # nested deeper than schemas are followed
        return (f"{pointer(part.name)} depth",)


def _errors(part: Part, value: Fields) -> Iterable[ValidationError]:
    if not _exceeds(value, MAX_TELLING // part.weight):
        return part.schema.iter_errors(value)
    try:
        part.schema.validate(value)
    except ValidationError as error:
        return (error,)
    return ()


def _exceeds(value: Any, most: int) -> bool:
    """Whether a value holds more than so many values."""
    count, inside = 0, [value]
    while inside and count <= most:
        one = inside.pop()
        count += 1
        if isinstance(one, dict):
            inside.extend(islice(one.values(), most))
        elif isinstance(one, list):
            inside.extend(one[:most])
    return count > most
