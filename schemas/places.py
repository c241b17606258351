"""Faults that pydantic finds, as whoever wrote the document would say them: the place as written, and what is wrong.

Pydantic's own places name also what only the model knows: which member of a union was tried, and a tagged node twice.
"""

from collections.abc import Sequence
from typing import Any

from pydantic_core import ErrorDetails

Loc = Sequence[int | str]
_MOST = 40
_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "there is no such field",
    "int_from_float": "must be a whole number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be {le} or less",
    "too_short": "must have at least {min_length} in it",
    "too_long": "must have at most {max_length} in it",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "finite_number": "must be a plain number",
}
_TYPES = {
    "int": "must be a whole number", "bool": "must be true or false", "string": "must be a text",
    "tuple": "must be a list", "list": "must be a list", "dict": "must be a mapping", "model": "must be a mapping",
    "decimal": "must be a number", "float": "must be a number", "date": "must be a day, as 2026-12-31",
}  # fmt: skip
_PATTERNS = {
    r"^[a-z][a-z0-9_-]{0,39}$": "must be a name: small letters, digits, _ and -, a letter first, 40 at most",
    r"^[a-z][a-z0-9_]{0,39}$": "must be a name: small letters, digits and _, a letter first, 40 at most",
    r"^https?://(\*\.)?[a-z0-9.-]+(:[0-9]{1,5})?$": (
        "must be an origin in small letters, as https://shop.example or https://*.shop.example"
    ),
    r"^[^.\s][^.]{0,99}(\.[^.]{1,100}){0,2}$": "must be a path of up to three names, as products.category",
    r"^[A-Z]{3}$": "must be a currency, as EUR",
    r"^[A-Z]{2}$": "must be a country, as DE",
}


def told(fault: ErrorDetails, document: Any) -> str:
    """`when.all.1.did.within.last_days: must be 400 or less`."""
    parts, value = _way(fault["loc"], document, missing=fault["type"] == "missing")
    place = ".".join(map(str, parts)) or "the document"
    if fault["type"] == "operator":
        return f"{place}: {fault['msg']}{_operators(value)}"
    if fault["type"] == "union_tag_invalid":
        return f"{place}: takes one of {fault['ctx']['expected_tags']}, not {fault['ctx']['tag']}"
    return f"{place}: {_plainly(fault)}"


def _way(loc: Loc, document: Any, *, missing: bool) -> tuple[tuple[int | str, ...], Any]:
    """The parts of a place that lead through the document, as many as can, and above all the last; what lies there."""
    ways: dict[int, tuple[int, tuple[int | str, ...], Any]] = {id(document): (0, (), document)}
    for number, part in enumerate(loc):
        last, found = number == len(loc) - 1, dict[int, tuple[int, tuple[int | str, ...], Any]]()
        for cost, parts, value in ways.values():
            steps = [(cost + (len(loc) if last else 1), parts, value)]
            if _leads(part, value):
                steps.append((cost, (*parts, part), value[part]))
            elif last and missing and isinstance(value, dict):
                steps.append((cost, (*parts, part), value))
            elif part == 0 and isinstance(value, str):  # a text that stands for a list of one
                steps.append((cost, parts, value))
            for step in steps:
                known = found.get(id(step[2]))
                if known is None or step[0] < known[0]:
                    found[id(step[2])] = step
        ways = found
    _, parts, value = min(ways.values(), key=lambda way: way[0])
    return parts, value


def _leads(part: int | str, value: Any) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(part, int) and isinstance(value, list) and part < len(value)


def _operators(node: Any) -> str:
    """What stands where an operator should: that of another language, or several."""
    if not isinstance(node, dict) or not node:
        return ""
    names = [repr(str(name))[1 : _MOST + 1].strip("'\"") for name in list(node)[:3]]
    return f"; here stands {names[0]}" if len(node) == 1 else f"; here stand {' and '.join(names)}"


def _plainly(fault: ErrorDetails) -> str:
    """What is wrong, in the words of a YAML file; a rule's own words as they are."""
    type_, more = fault["type"], fault.get("ctx", {})
    known = _WORDS.get(type_)
    if known is None and type_.endswith(("_type", "_parsing")):
        known = next((words for start, words in _TYPES.items() if type_.startswith(start)), None)
    if type_ == "string_pattern_mismatch" and more["pattern"] in _PATTERNS:
        return _PATTERNS[more["pattern"]]
    return known.format(**more) if known else fault["msg"].removeprefix("Value error, ")
