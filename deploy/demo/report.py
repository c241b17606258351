"""What the demo shows at its end: answers of `projections/queries`, and the file's own total beside them."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from deploy.demo.orders import CURRENCY, Order, revenue
from deploy.demo.stored import stored
from deploy.demo.story import customers_of, known_as
from deploy.demo.try_next import try_next
from deploy.demo.who import tell
from deploy.terminal import amount, plain
from projections.queries import Answer, ask, title
from schemas.errors import CdpError
from schemas.labels import STAGES
from schemas.settings import Settings


class Took(NamedTuple):
    """Seconds from the first POST to the last answer, and from there until the views showed everything."""

    posting: float
    catching_up: float


def show(settings: Settings, console: Console, orders: Sequence[Order], took: Took) -> None:
    """Print every table, then what to try next; CdpError where the views do not hold what was posted."""
    largest = ask(settings, "largest_customers")
    tables = {
        "customers_by_stage": _by_stage(ask(settings, "customers_by_stage")),
        "transitions_by_month": _by_month(ask(settings, "transitions_by_month")),
        "largest_customers": _largest(settings, largest),
        "totals": _totals(ask(settings, "totals")),
    }
    for name, table in tables.items():
        console.print(f"\n[bold]{title(name)}[/bold]", highlight=False)
        console.print(table)
    tell(settings, console, _somebody(largest))
    if settings.currency != CURRENCY:
        note = f"`revenue` of a customer counts {settings.currency}; these orders are in {CURRENCY}"
        console.print(f"\n{note}: revenue_by_currency['{CURRENCY}']", highlight=False, markup=False)
    _compare(settings, console, orders)
    seconds = took.posting + took.catching_up
    console.print(
        f"[bold]{len(orders) / seconds:,.0f} events/s end to end[/bold]: {seconds:.1f} s from the first POST until the "
        f"views showed everything ({took.posting:.1f} s posting, {took.catching_up:.1f} s more)",
        highlight=False,
        soft_wrap=True,
    )
    phone = next((f"{e['type']}:{e['id']}" for e in _externals(orders)), None)
    try_next(settings, console, _somebody(largest), phone)


def _externals(orders: Sequence[Order]) -> Iterator[dict[str, str]]:
    """The identifiers of the story, besides the accounts."""
    for who in known_as(orders).values():
        yield from who.get("context", {}).get("externalIds", ())


def _compare(settings: Settings, console: Console, orders: Sequence[Order]) -> None:
    ours, theirs = revenue(orders), stored(settings)
    customers = len({order.customer for order in orders})
    file = f"{ours:,.2f} {CURRENCY} in {len(orders):,} orders of {customers:,} customers"
    if (theirs.orders, theirs.customers, theirs.revenue) != (len(orders), customers, ours):
        held = (
            f"{theirs.revenue:,.2f} {CURRENCY} in {theirs.orders:,} orders of {theirs.customers:,} customers"
        )
        what = f"the views hold {held}, the file {file}"
        raise CdpError(what, "orders", "this is a defect; `cdp logs` may tell more")
    console.print(
        f"\n[green]Equal to the cent[/green]: the views hold the file's {file}, added up line by line.",
        highlight=False,
        soft_wrap=True,
    )
    joined = customers_of(orders)
    console.print(
        f"[green]One customer of three[/green]: {joined:,} of them ordered from an account, by phone and with a card, "
        f"and were {3 * joined:,} until their last order named all three; their histories are one now.",
        highlight=False,
        soft_wrap=True,
    )


def _by_stage(answer: Answer) -> Table:
    table = _table("stage", *answer.columns[1:])
    for row in answer.rows:
        table.add_row(*map(_cell, row))
    return table


def _by_month(answer: Answer) -> Table:
    """Months down, kinds of transition across."""
    order = ("", *STAGES)
    kinds = sorted({(f, t) for _, f, t, _ in answer.rows}, key=lambda kind: [*map(order.index, kind)])
    counts = {(month, f, t): number for month, f, t, number in answer.rows}
    table = _table("month", *(f"{from_ or '-'}\n> {to}" for from_, to in kinds))
    for month in sorted({row[0] for row in answer.rows}):
        table.add_row(f"{month:%Y-%m}", *(_cell(counts.get((month, *kind), "")) for kind in kinds))
    return table


def _totals(answer: Answer) -> Table:
    """A column for each currency."""
    table = _table("", *("" for _ in answer.rows), show_header=False)
    for name, *values in zip(answer.columns, *answer.rows, strict=True):
        table.add_row(name.replace("_", " "), *map(_cell, values))
    return table


def _largest(settings: Settings, answer: Answer) -> Table:
    """The customers by the id that the shop knows them by."""
    table = _table("user_id", "stage", "purchases", f"revenue, {settings.currency}", "since", "last active")
    for _, identifiers, *values in answer.rows:
        table.add_row(plain(", ".join(identifiers.get("user_id", ("-",)))), *map(_cell, values))
    return table


def _somebody(largest: Answer) -> str:
    """The largest customer that the shop has an id of."""
    return next(
        (identifiers["user_id"][0] for _, identifiers, *_ in largest.rows if "user_id" in identifiers), "1"
    )


def _table(first: str, *others: str, show_header: bool = True) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, show_header=show_header)
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _cell(value: Any) -> str:
    if isinstance(value, Decimal):
        return amount(value)
    return f"{value:,}" if isinstance(value, int) else str(value)
