"""What others wrote does nothing to the terminal that it is shown on."""

from decimal import Decimal
from io import StringIO

import pytest
from rich.console import Console

from deploy.terminal import amount, plain


def test_no_markup_and_no_control_character_is_obeyed() -> None:
    console = Console(file=StringIO(), width=200, force_terminal=True)
    console.print(plain("[red]x[/red] \x1b[31m \x07 \r\n Ünïcode 客户"))
    assert console.file.getvalue() == "[red]x[/red] \\x1b[31m \\x07 \\r\\n Ünïcode 客户\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("value", "text"),
    [("0E-9", "0.00"), ("2500315.630000000", "2,500,315.63"), ("0.005", "0.005"), ("-1.5", "-1.50")],
)
def test_an_amount_loses_nothing(value: str, text: str) -> None:
    assert amount(Decimal(value)) == text
