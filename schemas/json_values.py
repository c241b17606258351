"""Which values of a YAML file are JSON values that every reader of the log reads alike."""

import math
from typing import Any


def unwritable(value: Any, depth: int) -> str | None:
    """What keeps a value, nested at most `depth` deep, from being a JSON value; None where nothing does."""
    if isinstance(value, list | dict):
        return _nested(value, depth)
    if isinstance(value, str):
        return None if value.isascii() or _is_text(value) else "is no text that can be written as UTF-8"
    if isinstance(value, float):
        return None if math.isfinite(value) else "is no number that JSON has"
    if isinstance(value, int):  # true and false among them
        return None if -(2**63) <= value < 2**63 else "is a number of more than 64 bits"
    return None if value is None else "must be written in quotes, as every day and time"


def _nested(value: list[Any] | dict[Any, Any], depth: int) -> str | None:
    if depth <= 0:
        return "nested too deeply"
    if isinstance(value, dict) and any(not isinstance(key, str) for key in value):
        return "has a name that is no text: write it in quotes"
    inside = [*value, *value.values()] if isinstance(value, dict) else value
    return next((fault for inner in inside if (fault := unwritable(inner, depth - 1))), None)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
