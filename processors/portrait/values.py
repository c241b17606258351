"""Tests of values: of a property's, of a trait's."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from schemas.conditions import ValueTest
from schemas.values import number_of, text_of

Passes = Callable[[Sequence[Any]], bool]


def passes(test: ValueTest) -> Passes:
    """Whether the values that lie at a path pass; none are there where nothing lies there."""
    if test.exists is not None:
        exists = test.exists
        return lambda values: bool(values) is exists
    if test.is_not is not None:
        other = test.is_not
        return lambda values: bool(values) and all(text_of(value) != other for value in values)
    if test.at_least is not None or test.at_most is not None:
        return _in_range(test.at_least, test.at_most)
    wanted = frozenset(test.one_of if test.one_of is not None else (test.is_,))
    return lambda values: any(text_of(value) in wanted for value in values)


def _in_range(least: Decimal | None, most: Decimal | None) -> Passes:
    def test(values: Sequence[Any]) -> bool:
        numbers = (number for value in values if (number := number_of(value)) is not None)
        return any(
            (least is None or number >= least) and (most is None or number <= most) for number in numbers
        )

    return test
