"""Faults that pydantic finds, as whoever wrote the document would say them: the place as written, and what is wrong.

Pydantic's own places name also what only the model knows: which member of a union was tried, and a tagged node twice.
"""

from collections.abc import Sequence
from typing import Any

from pydantic_core import ErrorDetails

Loc = Sequence[int | str]
_MOST = 40


def told(fault: ErrorDetails, document: Any) -> str:
    """`when.all.1.did.within.last_days: Input should be ...`."""
    parts, value = _way(fault["loc"], document, missing=fault["type"] == "missing")
    place = ".".join(map(str, parts)) or "the document"
    if fault["type"] == "operator":
        return f"{place}: {fault['msg']}{_operators(value)}"
    if fault["type"] == "union_tag_invalid":
        return f"{place}: takes one of {fault['ctx']['expected_tags']}, not {fault['ctx']['tag']}"
    return f"{place}: {_plainly(fault['msg'])}"


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


def _plainly(message: str) -> str:
    """Pydantic's words in those of a YAML file."""
    message = message.removeprefix("Value error, ")
    for pydantics, ours in (("valid tuple", "list"), ("Tuple ", "List "), ("valid list", "list")):
        message = message.replace(pydantics, ours)
    if message.startswith("Input should be a valid dictionary"):
        return "Input should be a mapping"
    return message
