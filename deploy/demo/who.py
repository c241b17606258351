"""Who the customers of the demo are: the counts of all segments, tiers by stage, and one customer's portrait."""

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.table import Table

from deploy.definitions import history
from deploy.profile import keys_of, portrait
from deploy.thresholds import recompute
from projections.profile import show
from projections.queries import Answer, ask, title
from schemas.errors import CdpError, Unavailable
from schemas.settings import Settings

SHOWN = {"segment": "segment", "role": "role", "value": "tier"}
"""Kinds in their order, as they are called; tags have too many values to be counted here."""
COUNTED = ("segment", "role")
"""Kinds whose every name is counted, also at 0."""


def score(settings: Settings) -> None:
    """Rank everybody by today's base, where the definitions in force have a value."""
    model = history.read(settings).now
    if model is None or not any(key.startswith("value/") for key in model.definitions):
        return
    try:
        recompute(settings)
    except Unavailable:
        raise
    except CdpError:  # the process that follows the days was about to do the same
        recompute(settings)


def tell(settings: Settings, console: Console, customer: str) -> None:
    """Print the tables; `customer`: a user_id."""
    model = history.read(settings).now
    tables = {
        "customers_by_label": counts(
            ask(settings, "customers_by_label"), () if model is None else model.definitions
        ),
        "keep_or_let_go": by_tier(ask(settings, "keep_or_let_go")),
    }
    for name, table in tables.items():
        console.print(f"\n[bold]{title(name)}[/bold]", highlight=False)
        console.print(table)
    console.print(f"\n[bold]The portrait of one customer: user_id:{customer}[/bold]", highlight=False)
    console.print(portrait(show(settings, f"user_id:{customer}", keys_of(settings))), highlight=False)


def counts(answer: Answer, defined: Iterable[str]) -> Table:
    """How many customers each segment, role and tier has; `defined`: keys of all definitions in force."""
    found = {(kind, value or name): (number, share) for kind, name, value, number, share in answer.rows}
    table = _table("", "", *answer.columns[3:], left=2)
    for kind, called in SHOWN.items():
        names = {name for of, name in [*found, *_names(defined)] if of == kind}
        for name in sorted(names, key=lambda name: (-found.get((kind, name), (0,))[0], name)):
            number, share = found.get((kind, name), (0, 0.0))
            table.add_row(called, name, f"{number:,}", str(share))
    return table


def by_tier(answer: Answer) -> Table:
    """Tiers down, stages across."""
    table = _table(*(column.replace("_", " ") for column in answer.columns), left=1)
    for tier, *numbers in answer.rows:
        table.add_row(
            tier, *(f"{number:,}" if isinstance(number, int) else f"{number:,.2f}" for number in numbers)
        )
    return table


def _names(defined: Iterable[str]) -> Iterator[tuple[str, str]]:
    for kind, name, _ in (key.split("/") for key in defined):
        if kind in COUNTED:
            yield kind, name


def _table(*columns: str, left: int) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for place, name in enumerate(columns):
        table.add_column(name, justify="left" if place < left else "right")
    return table
