"""Values on a terminal."""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.text import Text

WIDE = 1_000
"""Columns of what is no terminal: a file or a pipe wraps nothing, and cuts nothing off."""
EVERY = 10.0
"""Seconds between lines of progress where no line can be written over."""


def console(**options: Any) -> Console:
    """A console as wide as the terminal; where there is none, so wide that no table is cut."""
    made = Console(**options)
    if not made.is_terminal:
        made.width = WIDE
    return made


def in_lines(out: Console, now: Callable[[], float] = time.monotonic) -> Callable[[str], None]:
    """Says how far something is to what is no terminal: a line at once, then one each EVERY seconds at most."""
    due = 0.0

    def say(text: str) -> None:
        nonlocal due
        if now() >= due:
            due = now() + EVERY
            out.print(text, highlight=False)

    return say


def plain(value: str) -> Text:
    """Text that others wrote, as it stands: no markup is read in it, control characters are shown and not obeyed."""
    return Text("".join(c if c.isprintable() else repr(c)[1:-1] for c in value))


def amount(value: Decimal) -> str:
    """An exact amount, with two digits after the point or more."""
    return f"{value:,.2f}" if value == round(value, 2) else f"{value.normalize():,f}"
