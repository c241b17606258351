"""Values on a terminal."""

from decimal import Decimal

from rich.text import Text


def plain(value: str) -> Text:
    """Text that others wrote, as it stands: no markup is read in it, control characters are shown and not obeyed."""
    return Text("".join(c if c.isprintable() else repr(c)[1:-1] for c in value))


def amount(value: Decimal) -> str:
    """An exact amount, with two digits after the point or more."""
    return f"{value:,.2f}" if value == round(value, 2) else f"{value.normalize():,f}"
