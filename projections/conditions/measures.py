"""Leaves as columns of a scan: what is remembered of events, counted over all of them at once."""

from projections.conditions import values
from projections.conditions.scan import Scan
from schemas import conditions as c
from schemas.leaves import HALVINGS, MAX_DISTINCT, MAX_TIMES, Leaf

_FOREVER = 2**62


def count(leaf: Leaf, scan: Scan) -> str:
    """How many events."""
    return scan.column(f"countIf({scan.matches(leaf)})", leaf.events)


def total(leaf: Leaf, scan: Scan) -> str:
    """The sum in the deployment's currency, Decimal(76, 18)."""
    _, _, numbers = scan.path(leaf.property, leaf.events)
    worth = f"toDecimal256(arraySum({numbers}), 9) * rate"
    return scan.column(f"sumIf({worth}, {scan.matches(leaf)})", leaf.events)


def greatest(leaf: Leaf, scan: Scan) -> str:
    """The greatest number in the deployment's currency; NULL where there is none."""
    _, _, numbers = scan.path(leaf.property, leaf.events)
    worth = f"toDecimal256(arrayMax({numbers}), 9) * rate"
    known = f"{scan.matches(leaf)} AND notEmpty({numbers}) AND rate > 0"
    return scan.column(f"maxOrNullIf({worth}, {known})", leaf.events)


def distinct(leaf: Leaf, scan: Scan) -> str:
    """How many different texts, at most 1,000."""
    _, texts, _ = scan.path(leaf.property, leaf.events)
    matches = scan.matches(leaf)
    return scan.column(f"length(groupUniqArrayArrayIf({MAX_DISTINCT})({texts}, {matches}))", leaf.events)


def first_day(leaf: Leaf, scan: Scan) -> str:
    """The day of the first event; NULL where there was none."""
    return scan.column(f"minOrNullIf(day, {scan.matches(leaf)})", leaf.events)


def last_day(leaf: Leaf, scan: Scan) -> str:
    """The day of the last event; NULL where there was none."""
    return scan.column(f"maxOrNullIf(day, {scan.matches(leaf)})", leaf.events)


def last_day_of(names: tuple[str, ...], scan: Scan) -> str:
    """The day of the last event of one of these names; NULL where there was none."""
    return scan.column(f"maxOrNullIf(day, name IN {scan.parameters.texts(names)})", names)


def latest(leaf: Leaf, test: c.ValueTest, scan: Scan) -> str:
    """Whether the latest value passes a test; NULL where there was none."""
    columns = scan.path(leaf.property, leaf.events)
    passes = values.passes(test, *columns, scan.parameters)
    stated = f"{scan.matches(leaf)} AND notEmpty({columns[0]})"
    return scan.column(f"argMaxOrNullIf(toUInt8({passes}), (ms, message_id), {stated})", leaf.events)


def interests(leaf: Leaf, scan: Scan) -> str:
    """A tuple of arrays: texts in alphabetical order, and the score of each."""
    _, texts, _ = scan.path(leaf.property, leaf.events)
    period = scan.parameters.of(leaf.period)
    age = f"toInt32(floor(today / {period}) - floor(day / {period}))"
    weight = (
        f"toUInt64(if({age} BETWEEN 0 AND {HALVINGS}, bitShiftRight({1 << HALVINGS}, toUInt8({age})), 0))"
    )
    seen = f"{texts}, arrayMap(x -> {weight}, {texts}), arrayMap(x -> 1, {texts})"
    # the third array, for texts whose scores are all 0 would be left out
    return scan.column(f"sumMapIf({seen}, {scan.matches(leaf)})", leaf.events)


def times(leaf: Leaf, scan: Scan) -> str:
    """The newest 100 instants, oldest first, and one that never comes."""
    newest = f"groupArraySortedIf({MAX_TIMES})(-ms, {scan.matches(leaf)})"
    return scan.column(f"arrayPushBack(arrayReverse(arrayMap(x -> -x, {newest})), {_FOREVER})", leaf.events)


def follows(steps: list[str], within: int | str, without: str | None) -> str:
    """Whether these instants follow each other within so many milliseconds, none of `without` in between."""
    ends = f"arrayPopBack({steps[0]})"
    for step in steps[1:]:
        ends = f"arrayMap(a -> arrayFirst(x -> x > a OR x = {_FOREVER}, {step}), {ends})"
    clear = f" AND NOT arrayExists(x -> x > a AND x < z, {without})" if without else ""
    test = f"z < {_FOREVER} AND z - a <= {within}{clear}"
    return f"arrayExists((a, z) -> {test}, arrayPopBack({steps[0]}), {ends})"
