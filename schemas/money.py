"""Money: exact decimals, never a float.

In the log an amount is a decimal string; in ClickHouse Decimal(38,9). Amounts have at most 29 digits before the point
and 9 after it, in a sum too.
"""

from decimal import Context, Decimal, InvalidOperation
from typing import Any

SCALE = 9
EXACT = Context(prec=60)
_LIMIT = Decimal(10) ** 29
MAX_NUMBER_DIGITS = 15


def parse(value: Any) -> Decimal:
    """The exact amount of a JSON number or decimal string; ValueError says why there is none.

    A JSON number of more than 15 significant digits is refused: parsers on its way may have changed it. A number that
    was read as Decimal keeps the digits as written.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("an amount must be a number or a decimal string")
    try:
        amount = Decimal(value if isinstance(value, Decimal) else str(value).strip())
    except InvalidOperation:
        raise ValueError(f"not an amount: {str(value)[:40]!r}") from None
    if not amount.is_finite():
        raise ValueError("an amount must be finite")
    if not isinstance(value, str) and len(amount.as_tuple().digits) > MAX_NUMBER_DIGITS:
        raise ValueError("a JSON number of more than 15 significant digits is not exact; send a decimal string")
    exponent = amount.as_tuple().exponent
    if abs(amount) >= _LIMIT or (isinstance(exponent, int) and exponent < -SCALE):
        raise ValueError("an amount has at most 29 digits before the point and 9 after it")
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
