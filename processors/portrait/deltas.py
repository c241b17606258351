"""What one event states to the leaves that remember it: a small state of each, that is joined to a part's."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from processors.calendar import EPOCH, Calendar
from processors.portrait.values import Passes, passes
from schemas import money
from schemas.event import EventBody
from schemas.leaves import Leaf, LeafStates
from schemas.values import currency_of, number_of, text_of, values_of

Path = tuple[str, ...]
Stated = Callable[[EventBody, str, int], Any]
"""What an event states, as a LeafState has it in `b`; None where nothing. With its bucket of a day, and its day."""


class Remembered(NamedTuple):
    """A leaf, compiled."""

    key: str
    leaf: Leaf
    filters: tuple[tuple[Path, Passes], ...]
    days: tuple[int, int] | None  # only from the one to the other
    stated: Stated


class LeafIndex(NamedTuple):
    """Which leaves remember events of a name."""

    by_name: Mapping[str, tuple[Remembered, ...]]
    calendar: Calendar


def leaf_index(leaves: Iterable[tuple[Leaf, str]], calendar: Calendar) -> LeafIndex:
    """The index of leaves, each with its key."""
    by_name: dict[str, dict[str, Remembered]] = {}
    for leaf, key in leaves:
        remembered = _compile(leaf, key)
        for name in leaf.events:
            by_name.setdefault(name, {})[key] = remembered
    return LeafIndex({name: tuple(mine.values()) for name, mine in by_name.items()}, calendar)


def deltas(event: EventBody, index: LeafIndex, failed: list[str] | None = None) -> LeafStates:
    """What an event states to each leaf that remembers it, by key: a pure function of the event.

    A leaf that fails remembers nothing of this event; its key is noted in `failed`.
    """
    remembering = index.by_name.get(event["name"])
    if not remembering:
        return {}
    found: LeafStates = {}
    day, properties = index.calendar.day_of(event["occurred_at"]), event["properties"]
    bucket = str(day)
    for one in remembering:
        key, leaf, filters, days, state = one
        if days is not None and not days[0] <= day <= days[1]:
            continue
        try:
            for path, test in filters:
                if not test(values_of(properties, path)):
                    break
            else:
                stated = state(event, bucket if leaf.days else "", day)
                if stated is not None:
                    found[key] = {"m": leaf.measure, "n": leaf.days, "b": stated}
        except Exception:  # noqa: BLE001 -- whatever it is: a definition stops nothing
            if failed is not None:
                failed.append(key)
    return found


def _compile(leaf: Leaf, key: str) -> Remembered:
    filters = tuple((_path(one.property), passes(one)) for one in leaf.where)
    between = leaf.between and ((leaf.between[0] - EPOCH).days, (leaf.between[1] - EPOCH).days)
    return Remembered(key, leaf, filters, between, _STATED[leaf.measure](leaf, _path(leaf.property)))


def _path(text: str) -> Path:
    return tuple(text.split("."))


def _amount(of: Callable[[list[Decimal]], Decimal]) -> Callable[[Leaf, Path], Stated]:
    def compile_(_: Leaf, path: Path) -> Stated:
        def stated(event: EventBody, bucket: str, _: int) -> Any:
            found = [number_of(value) for value in values_of(event["properties"], path)]
            numbers = [number for number in found if number is not None]
            if not numbers:
                return None
            amount = numbers[0] if len(numbers) == 1 else of(numbers)
            return {bucket: {currency_of(event["properties"]): money.text(amount)}}

        return stated

    return compile_


def _total(numbers: list[Decimal]) -> Decimal:
    total = Decimal(0)
    for number in numbers:
        total = money.EXACT.add(total, number)
    return total


def _distinct(_: Leaf, path: Path) -> Stated:
    def stated(event: EventBody, _: str, day: int) -> Any:
        return dict.fromkeys(_texts(event, path), day) or None

    return stated


def _latest(_: Leaf, path: Path) -> Stated:
    def stated(event: EventBody, _bucket: str, _: int) -> Any:
        values = values_of(event["properties"], path)
        return [event["occurred_at"], event["message_id"], [text_of(v) for v in values]] if values else None

    return stated


def _interest(leaf: Leaf, path: Path) -> Stated:
    def stated(event: EventBody, _: str, day: int) -> Any:
        texts, period = _texts(event, path), str(day // leaf.period)
        return {text: {period: texts.count(text)} for text in texts} or None

    return stated


def _texts(event: EventBody, path: Path) -> list[str]:
    texts = (text_of(value) for value in values_of(event["properties"], path))
    return [text for text in texts if text is not None]


def _one(_event: EventBody, bucket: str, _: int) -> Any:
    return {bucket: 1}


def _span(event: EventBody, _bucket: str, _: int) -> Any:
    return [event["occurred_at"], event["occurred_at"]]


def _time(event: EventBody, _bucket: str, _: int) -> Any:
    return [event["occurred_at"]]


_STATED: dict[str, Callable[[Leaf, Path], Stated]] = {
    "count": lambda *_: _one, "sum": _amount(_total), "max": _amount(max), "distinct": _distinct,
    "span": lambda *_: _span, "latest": _latest, "interest": _interest, "times": lambda *_: _time,
}  # fmt: skip
