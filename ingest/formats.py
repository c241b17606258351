"""Reading times of a format: what `strptime` does, three times as fast for formats of digits. Pure."""

import re
from collections.abc import Callable
from datetime import datetime

DIGITS = {"d": "day", "m": "month", "Y": "year", "H": "hour", "M": "minute", "S": "second"}
"""Directives of plain numbers."""
_DIRECTIVE = re.compile(r"%(.)")


def reader(format_: str) -> Callable[[str], datetime]:
    """What reads a format; ValueError where a text is none."""
    letters = _DIRECTIVE.findall(format_)
    if not set(letters) <= DIGITS.keys() or len(set(letters)) < len(letters):
        return lambda text: datetime.strptime(text, format_)  # noqa: DTZ007 - the zone comes with the mapping
    parts = _DIRECTIVE.split(format_)
    literals = (re.sub(r"(\\\s)+|\s+", r"\\s+", re.escape(part)) for part in parts[::2])
    widths = ("([0-9]{4})" if letter == "Y" else "([0-9]{1,2})" for letter in letters)
    pattern = next(literals) + "".join(
        width + literal for width, literal in zip(widths, literals, strict=True)
    )
    match, names = re.compile(pattern).fullmatch, [DIGITS[letter] for letter in letters]
    places = [names.index(name) + 1 if name in names else 0 for name in DIGITS.values()]
    day, month, year, hour, minute, second = places

    def read(text: str) -> datetime:
        found = match(text)
        if found is None:
            raise ValueError("not of this format")
        return datetime(  # noqa: DTZ001 - the zone comes with the mapping
            int(found[year]),
            int(found[month]),
            int(found[day]),
            int(found[hour]) if hour else 0,
            int(found[minute]) if minute else 0,
            int(found[second]) if second else 0,
        )

    return read
