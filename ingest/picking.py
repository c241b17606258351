"""One value of a row, as a mapping says where it is and what it becomes. Pure; each function is compiled once.

A value that is not there is None; Refusal, which names the column and never the value, where it is not what it must be.
"""

import base64
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from ingest import times
from ingest.formats import reader
from ingest.refusal import Refusal, invalid
from schemas import money
from schemas.picks import ISO, UNIX, Pick, Time, as_text
from schemas.rejected import Reason

Row = Mapping[str, Any]
Get = Callable[[Row], Any]
Way = tuple[str | int, ...]
TRUE, FALSE = frozenset(("true", "t", "yes", "y", "1")), frozenset(("false", "f", "no", "n", "0"))
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
DEEPEST = 50


class Locale(NamedTuple):
    """How a mapping's rows write: their time zone, what stands before decimals, and texts that say nothing."""

    timezone: str
    decimal: str
    empty: frozenset[str]


def getter(way: Way) -> Get:
    """What finds a column, or a nested value; None where it is not there."""
    if len(way) == 1:
        (name,) = way
        return lambda row: row.get(name)  # type: ignore[arg-type]

    def get(row: Row) -> Any:
        found: Any = row
        for step in way:
            if isinstance(found, Mapping):
                found = found.get(str(step))
            elif isinstance(found, list | tuple) and isinstance(step, int) and step < len(found):
                found = found[step]
            else:
                return None
        return found

    return get


def told(way: Way, locale: Locale) -> Callable[[Row], str]:
    """What reads a column as a text; an empty one where it says nothing. Refusal where it holds more than one value."""
    get, empty = getter(way), locale.empty

    def read(row: Row) -> str:
        value = get(row)
        if type(value) is not str:
            value = _text(value, way)
        return "" if (text := value.strip()) in empty else text

    return read


def _text(value: Any, way: Way) -> str:
    if isinstance(value, Mapping | list | tuple):
        raise _wrong(way, "one value")
    return as_text(value.decode("utf-8", "replace") if isinstance(value, bytes) else value)


def picked(pick: Pick, locale: Locale) -> Get:
    """What gives a pick's value."""
    if pick.column is None:
        constant = pick.value
        return lambda _: constant
    if pick.map is not None:
        return _mapped(pick.column, pick.map, pick.otherwise, locale)
    if pick.type is None:
        return _as_it_stands(pick.column, locale)
    if pick.type == "date":
        return _date(pick.column, pick.format or ISO, locale)
    return _typed(pick.column, pick.type, locale)


def plain(value: Any, depth: int = 0) -> Any:
    """A value as JSON has it: dates as ISO 8601, exact decimals and what JSON has no number for as texts."""
    if type(value) is str:
        return value
    if depth > DEEPEST:
        raise invalid("nested too deep")
    if type(value) is dict or isinstance(value, Mapping):
        return {
            str(name): each if type(each) is str else plain(each, depth + 1) for name, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [plain(each, depth + 1) for each in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    return str(value)


def _wrong(way: Way, what: str) -> Refusal:
    return invalid(f"column {'.'.join(map(str, way))[:100]!r} is not {what}")


def _mapped(way: Way, values: Mapping[str, Any], otherwise: Any, locale: Locale) -> Get:
    read = told(way, locale)

    def pick(row: Row) -> Any:
        text = read(row)
        value = values.get(text, otherwise)
        if value is None and text:
            raise _wrong(way, "in the map")
        return value

    return pick


def _as_it_stands(way: Way, locale: Locale) -> Get:
    get, empty = getter(way), locale.empty

    def pick(row: Row) -> Any:
        value = get(row)
        if type(value) is str:
            return None if not (text := value.strip()) or text in empty else text
        return plain(value)

    return pick


def _typed(way: Way, type_: str, locale: Locale) -> Get:
    get, read, make = getter(way), told(way, locale), TYPES[type_]
    written = locale.decimal == ","

    def pick(row: Row) -> Any:
        text = read(row)
        if not text:
            return None
        try:
            return make(text, written and type(get(row)) is str)
        except (ValueError, ArithmeticError):
            if type_ == "money":
                raise Refusal(Reason.BAD_AMOUNT, _wrong(way, "an amount").detail) from None
            raise _wrong(way, f"of type {type_}") from None

    return pick


def _date(way: Way, format_: str, locale: Locale) -> Get:
    get, read, parse = getter(way), told(way, locale), _parser(format_, ZoneInfo(locale.timezone))

    def pick(row: Row) -> str | None:
        value = get(row)
        if isinstance(value, date):  # a datetime too
            return value.isoformat()[:10]
        text = read(row)
        if not text:
            return None
        try:
            return parse(text).date().isoformat()
        except (ValueError, OverflowError):
            raise _wrong(way, "a date as the mapping has it") from None

    return pick


def instant(at: Time, locale: Locale) -> Callable[[Row], str]:
    """What gives the instant of a row, in UTC, as ISO 8601."""
    reads, zone = [told(way, locale) for way in at.columns], ZoneInfo(at.timezone or locale.timezone)
    get = getter(at.columns[0]) if len(at.columns) == 1 else None
    parse = _parser(at.format, zone)

    def read(row: Row) -> str:
        value = get(row) if get else None
        try:
            if isinstance(value, date):
                moment = value if isinstance(value, datetime) else datetime.combine(value, time())
            elif not (text := " ".join(part for each in reads if (part := each(row)))):
                raise invalid(f"column {'.'.join(map(str, at.columns[0]))[:100]!r} does not say when")
            else:
                moment = parse(text)
            return _utc(moment, zone)
        except (ValueError, OverflowError):
            raise _wrong(at.columns[0], "a time as the mapping has it") from None

    return read


def _utc(moment: datetime, zone: ZoneInfo) -> str:
    """A time without an offset is of the zone; `fold=0` takes the offset before a change of the clocks."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone, fold=0)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _parser(format_: str, zone: ZoneInfo) -> Callable[[str], datetime]:
    if format_ == ISO:
        return datetime.fromisoformat
    if format_ == UNIX:
        return lambda text: _of_unix(text, zone)
    return reader(format_)


def _of_unix(text: str, zone: ZoneInfo) -> datetime:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return datetime.fromtimestamp(times.instant(number) / 1_000, UTC).astimezone(zone)


def _point(text: str, comma: bool) -> str:
    """A number with a point before decimals, and thousands not grouped; ValueError where they are, but otherwise."""
    groups, point = (".", ",") if comma else (",", ".")
    whole, has, rest = text.partition(point)
    if groups in text:
        if groups in rest or not re.fullmatch(rf"[+-]?[0-9]{{1,3}}(\{groups}[0-9]{{3}})+", whole):
            raise ValueError
        whole = whole.replace(groups, "")
    return f"{whole}.{rest}" if has else whole


def _integer(text: str, comma: bool) -> int:
    text = _point(text, comma)
    whole, _, rest = text.partition(".")
    if not _INTEGER.fullmatch(whole) or rest.strip("0"):
        raise ValueError
    return int(whole)


def _number(text: str, comma: bool) -> float:
    text = _point(text, comma)
    if not _NUMBER.fullmatch(text) or not math.isfinite(number := float(text)):
        raise ValueError
    return number


def _money(text: str, comma: bool) -> str:
    return money.text(money.parse(_point(text, comma)))


def _boolean(text: str, _: bool) -> bool:
    said = text.lower()
    if said not in TRUE and said not in FALSE:
        raise ValueError
    return said in TRUE


TYPES: dict[str, Callable[[str, bool], Any]] = {
    "text": lambda text, _: text,
    "integer": _integer,
    "number": _number,
    "money": _money,
    "boolean": _boolean,
}
"""What a text becomes by the type that the mapping states; ValueError where it is none."""
