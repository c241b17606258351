"""Values of properties and traits as conditions see them: by path, as text, as exact numbers.

Both compilers of the condition language follow these rules; ClickHouse applies them to the same JSON text.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

MAX_TEXT = 200
MAX_VALUES = 100
"""Values of one path in one event: the first."""
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")


def values_of(body: Mapping[str, Any], path: tuple[str, ...]) -> list[Any]:
    """What lies at a path: lists on the way and at its end are unfolded one level, null is nothing."""
    found: list[Any] = [body]
    for name in path:
        found = [
            value
            for outer in found
            if isinstance(outer, dict) and (inner := outer.get(name)) is not None
            for value in (inner if isinstance(inner, list) else (inner,))
            if value is not None
        ][:MAX_VALUES]
    return found


def text_of(value: Any) -> str | None:
    """A scalar as text: a number as plain decimal without trailing zeros, `true`, `false`, a string as it is.

    None for objects and lists, for texts longer than 200 characters, and for numbers that are no plain decimals of at
    most 18 digits before the point and 9 after it.
    """
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else None
    if isinstance(value, bool):
        return "true" if value else "false"
    number = number_of(value)
    return None if number is None else _plain(number)


def number_of(value: Any) -> Decimal | None:
    """The number that a JSON number or a plain decimal string is, exactly; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    text = (
        value if isinstance(value, str) else str(value) if isinstance(value, int | Decimal) else _json(value)
    )
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _json(value: float) -> str:
    return orjson.dumps(value).decode()


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
