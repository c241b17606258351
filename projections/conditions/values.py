"""Values of JSON text as `schemas/values.py` means them, in SQL.

ClickHouse prints JSON numbers as shortly as can be, 1e21 and 1e-7 with an exponent, what lies between without one.
Every regular expression here stands for one there.
"""

from projections.conditions.parameters import Parameters
from schemas.conditions import ValueTest
from schemas.values import MAX_TEXT, MAX_VALUES

_NUMBER = "'^-?[0-9]{1,18}([.][0-9]{1,9})?$'"
_SMALL = "'^-?([0-9]([.][0-9]{1,2})?e-7|[0-9]([.][0-9])?e-8|[0-9]e-9)$'"
_DATE = "'(?s)^[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?$'"


def raws(json: str, path: tuple[str, ...], parameters: Parameters) -> str:
    """The values at a path as an array of JSON texts: lists are unfolded one level, null is nothing."""
    first, *others = (parameters.of(name) for name in path)
    found = _first_hundred(_unfolded(f"JSONExtractRaw({json}, {first})"))
    for name in others:
        found = _first_hundred(
            f"arrayFlatten(arrayMap(o -> {_unfolded(f'JSONExtractRaw(o, {name})')}, {found}))"
        )
    return found


def _unfolded(raw: str) -> str:
    return f"multiIf({raw} IN ('', 'null'), [], startsWith({raw}, '['), JSONExtractArrayRaw({raw}), [{raw}])"


def _first_hundred(array: str) -> str:
    return f"arraySlice(arrayFilter(x -> x != 'null', {array}), 1, {MAX_VALUES})"


def texts(raws: str) -> str:
    """Those of an array of JSON texts that have a text, as it is."""
    return f"arrayMap(x -> assumeNotNull(x), arrayFilter(x -> x IS NOT NULL, arrayMap(r -> {_text('r')}, {raws})))"


def _text(raw: str) -> str:
    string = decoded(raw)
    return (
        f"multiIf(startsWith({raw}, '\"'), if(lengthUTF8({string}) <= {MAX_TEXT}, {string}, NULL), "
        f"{raw} IN ('true', 'false'), {raw}, {raw} = '-0', '0', match({raw}, {_NUMBER}), {raw}, "
        f"match({raw}, {_SMALL}), toString(toDecimal128OrZero({raw}, 9)), NULL)"
    )


def decoded(raw: str) -> str:
    """A JSON string without its quotes."""
    plain = f"substring({raw}, 2, length({raw}) - 2)"
    return f"if(position({raw}, '\\\\') = 0, {plain}, JSONExtractString({raw}))"


def numbers(texts: str) -> str:
    """Those of an array of texts that are numbers, as Decimal(38, 9)."""
    return f"arrayMap(x -> toDecimal128OrZero(x, 9), arrayFilter(x -> match(x, {_NUMBER}), {texts}))"


def currency(json: str) -> str:
    """The currency of an event's amounts."""
    raw = f"JSONExtractRaw({json}, 'currency')"
    return (
        f"multiIf({raw} IN ('', 'null', '\"\"'), '', match({raw}, '^\"[A-Za-z]{{3}}\"$'), "
        f"upper(substring({raw}, 2, 3)), '?')"
    )


def decimal(value: object) -> str:
    """A number on its way as a parameter."""
    return f"toDecimal256({value}, 9)"


def day_as_number(raw: str) -> str:
    """The day of a JSON string as 19901231; 0 where it is none."""
    string = decoded(raw)
    year, month, day = (
        f"toUInt32OrZero(substring({string}, {at}, {n}))" for at, n in ((1, 4), (6, 2), (9, 2))
    )
    by_4, by_100, by_400 = (f"modulo({year}, {years}) = 0" for years in (4, 100, 400))
    leap = f"({by_4} AND (NOT {by_100} OR {by_400}))"
    last = f"multiIf({month} = 2, 28 + {leap}, {month} IN (4, 6, 9, 11), 30, 31)"
    valid = f"{year} >= 1 AND {month} BETWEEN 1 AND 12 AND {day} BETWEEN 1 AND {last}"
    return (
        f"if(startsWith({raw}, '\"') AND match({string}, {_DATE}) AND {valid}, "
        f"{year} * 10000 + {month} * 100 + {day}, 0)"
    )


def passes(test: ValueTest, raws: str, texts: str, numbers: str, parameters: Parameters) -> str:
    """Whether values pass a test; they are given as arrays of JSON texts, texts and numbers."""
    if test.exists is not None:
        return f"{'notEmpty' if test.exists else 'empty'}({raws})"
    if test.is_ is not None:
        return f"has({texts}, {parameters.of(test.is_)})"
    if test.is_not is not None:
        return f"(notEmpty({raws}) AND NOT has({texts}, {parameters.of(test.is_not)}))"
    if test.one_of is not None:
        return f"hasAny({texts}, {parameters.texts(test.one_of)})"
    return f"arrayExists(x -> {between('x', test.at_least, test.at_most, parameters)}, {numbers})"


def between(number: str, least: object, most: object, parameters: Parameters) -> str:
    """Whether a number lies between bounds, both among them, where there are any."""
    tests = [
        f"{number} {sign} {decimal(parameters.of(f'{bound:f}'))}"
        for sign, bound in ((">=", least), ("<=", most))
        if bound is not None
    ]
    return f"({' AND '.join(tests)})"
