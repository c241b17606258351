"""What others wrote does nothing to the terminal that it is shown on."""

from decimal import Decimal
from io import StringIO

import pytest
from rich.console import Console
from rich.table import Table

from deploy.terminal import EVERY, amount, console, in_lines, plain


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


def test_what_is_no_terminal_gets_whole_tables() -> None:
    out, table = StringIO(), Table(box=None)
    table.add_row("a" * 300, "b" * 300)
    console(file=out).print(table)
    assert out.getvalue().split() == ["a" * 300, "b" * 300]


def test_progress_is_told_in_a_line_each_ten_seconds() -> None:
    out, seconds = StringIO(), [0.0]
    say = in_lines(console(file=out), lambda: seconds[0])
    for at in (1.0, 2.0, 1.0 + EVERY, 2.0 + EVERY):
        seconds[0] = at
        say(f"at {at:.0f}")
    assert out.getvalue().splitlines() == ["at 1", "at 11"]
