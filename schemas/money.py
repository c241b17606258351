"""Money: exact decimals, never a float.

In the log an amount is a decimal string; in ClickHouse Decimal(38,9). One amount has at most 23 digits before
the point, so that the sum of a million of them (what the largest customer can hold) still has at most 29.
"""

import re
from decimal import Context, Decimal
from typing import Any

SCALE = 9
EXACT = Context(prec=60)
MAX_DIGITS = 23
MAX_NUMBER_DIGITS = 15
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")

_PLAIN = re.compile(r"(?:0|[1-9][0-9]{0,21})(?:\.[0-9]{1,9})?")
"""Most amounts: what they say needs no arithmetic to be told."""


def exact(value: Any) -> str:
    """The canonical decimal string of a JSON number or decimal string: `text(parse(value))`, the short way for most."""
    if type(value) is str and _PLAIN.fullmatch(value):
        return value.rstrip("0").rstrip(".") if "." in value else value
    return text(parse(value))


def parse(value: Any) -> Decimal:
    """The exact amount of a JSON number or decimal string; ValueError says why there is none.

    A JSON number of more than 15 significant digits is refused: parsers on its way may have changed it. A
    number that was read as Decimal keeps the digits as written.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("an amount must be a number or a decimal string")
    if isinstance(value, str) and not _DECIMAL.fullmatch(value.strip()):
        raise ValueError(f"not an amount: {value[:40]!r}")
    amount = Decimal(repr(value) if isinstance(value, float) else value)
    if not amount.is_finite():
        raise ValueError("an amount must be finite")
    _, digits, exponent = amount.as_tuple()
    if not isinstance(value, str) and len(digits) > MAX_NUMBER_DIGITS:
        raise ValueError("a JSON number of more than 15 digits is not exact; send a decimal string")
    if amount.adjusted() >= MAX_DIGITS or int(exponent) < -SCALE:
        raise ValueError(f"an amount has at most {MAX_DIGITS} digits before the point and {SCALE} after it")
    return amount


def text(amount: Decimal) -> str:
    """The canonical decimal string: no exponent, no trailing zeros after the point, no negative zero."""
    plain = format(amount, "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain in ("-0", "") else plain


def add(a: str, b: str) -> str:
    """The exact sum of two canonical decimal strings."""
    return text(EXACT.add(Decimal(a), Decimal(b)))


def subtract(a: str, b: str) -> str:
    """The exact difference of two canonical decimal strings."""
    return text(EXACT.subtract(Decimal(a), Decimal(b)))
