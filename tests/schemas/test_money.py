import contextlib
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import money
from tests.schemas.statements import LARGEST

exact = st.decimals(f"-{LARGEST}", LARGEST, places=money.SCALE)


@given(exact)
def test_an_amount_survives_text_and_back(amount: Decimal) -> None:
    written = money.text(amount)
    assert money.parse(written) == amount
    assert money.text(money.parse(written)) == written
    assert "e" not in written.lower()
    assert written != "-0"


@given(st.from_regex(r"[+-]?[0-9]{0,25}\.?[0-9]{0,11}0*(e[0-9])?", fullmatch=True))
def test_the_short_way_to_an_exact_text_makes_no_difference(written: str) -> None:
    try:
        expected = money.text(money.parse(written))
    except ValueError:
        with pytest.raises(ValueError, match="amount"):
            money.exact(written)
    else:
        assert money.exact(written) == expected


@given(st.lists(exact, max_size=50))
def test_sums_are_exact(amounts: list[Decimal]) -> None:
    total = "0"
    for amount in amounts:
        total = money.add(total, money.text(amount))
    assert Fraction(total) == sum((Fraction(amount) for amount in amounts), Fraction(0))
    for amount in amounts:
        total = money.subtract(total, money.text(amount))
    assert total == "0"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("19.90", "19.9"),
        (" 5 ", "5"),
        ("-0.00", "0"),
        ("1e2", "100"),
        (".5", "0.5"),
        ("+7.", "7"),
        (0, "0"),
        (19.99, "19.99"),
        (0.1, "0.1"),
        (1e22, "10000000000000000000000"),
        (-3, "-3"),
        (Decimal("1.10"), "1.1"),
        (999_999_999_999_999, "999999999999999"),
        (LARGEST, LARGEST),
        ("12345678901234567890.123456789", "12345678901234567890.123456789"),
    ],
)
def test_amounts(value: Any, written: str) -> None:
    assert money.text(money.parse(value)) == written


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (True, "number or a decimal string"),
        (None, "number or a decimal string"),
        ([1], "number or a decimal"),
        ("", "not an amount"),
        ("abc", "not an amount"),
        ("1_000", "not an amount"),
        ("1,000", "not an amount"),
        ("１２", "not an amount"),
        ("NaN", "not an amount"),
        ("Infinity", "not an amount"),
        ("1e999999999", "not an amount"),
        (float("nan"), "finite"),
        (float("inf"), "finite"),
        (0.1 + 0.2, "more than 15"),
        (1234567890123456, "more than 15"),
        (Decimal("1.234567890123456"), "more than"),
        pytest.param(10**5000, "more than 15", id="huge"),
        ("1" + "0" * 23, "23 digits before"),
        ("0.0000000001", "9 after"),
        (1e300, "23 digits before"),
        ("9" * 10_000, "23 digits before"),
        (1e-12, "9 after"),
        (Decimal("1E+999999999"), "23 digits before"),
        (Decimal("sNaN"), "finite"),
    ],
)
def test_what_is_no_amount(value: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        money.parse(value)


@given(st.text() | st.floats() | st.integers() | st.decimals() | st.binary() | st.lists(st.integers()))
def test_whatever_comes_is_an_amount_or_a_reason(value: Any) -> None:
    with contextlib.suppress(ValueError):
        assert money.parse(value).adjusted() < money.MAX_DIGITS


def test_a_reason_is_short_however_long_the_value() -> None:
    with pytest.raises(ValueError) as caught:
        money.parse("x" * 10_000)
    assert len(str(caught.value)) < 100
