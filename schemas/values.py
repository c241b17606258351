"""Values of properties and traits as conditions see them: by path, as text, as exact numbers.

Both compilers of the condition language follow these rules; ClickHouse applies them to the same JSON text.
"""

import math
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import orjson

MAX_TEXT = 200
MAX_VALUES = 100
"""Values of one path in one event: the first."""
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")
_CURRENCY = re.compile(r"[A-Za-z]{3}")
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T.*)?", re.DOTALL)


def values_of(body: Mapping[str, Any], path: tuple[str, ...]) -> list[Any]:
    """What lies at a path: lists on the way and at its end are unfolded one level, null is nothing."""
    if len(path) == 1:  # as most are
        inner = body.get(path[0])
        if not isinstance(inner, list):
            return [] if inner is None else [inner]
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
    """The number that a JSON number or a plain decimal string is, exactly; None where it is none.

    A JSON number is what it is worth, however it is written: 1e16 is 10000000000000000. The decimals of one that was
    read as a float are the shortest that read as the same float.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    if isinstance(value, float):
        value = Decimal(orjson.dumps(value).decode()) if math.isfinite(value) else ""
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def currency_of(properties: Mapping[str, Any]) -> str:
    """The currency of an event's amounts in capitals; "" where none is named, "?" where what is named is none."""
    named = properties.get("currency")
    if named is None or named == "":
        return ""
    return named.upper() if isinstance(named, str) and _CURRENCY.fullmatch(named) else "?"


def date_of(value: Any) -> date | None:
    """The day of a string as 1990-12-31, or as 1990-12-31T...; None where it is none."""
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
