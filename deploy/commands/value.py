"""`cdp thresholds | rates`: what value is scored by."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.config import load_settings

Follow = Annotated[
    bool, typer.Option("--follow", help="Go on until SIGTERM: again whenever the logical day has moved on.")
]
File = Annotated[
    Path,
    typer.Argument(help="YAML: what one unit of each currency is in yours, as EUR: 1.08.", dir_okay=False),
]


def thresholds(follow: Follow = False) -> None:
    """Compute the quantiles of all customers by which value is scored, and put them in force where they differ."""
    from deploy import thresholds as module

    (module.follow if follow else module.show)(load_settings())


def rates(file: File) -> None:
    """Put rates of currencies in force; amounts of a currency without one are left out of revenue, and counted."""
    from deploy.rates import publish

    made = publish(load_settings(), file)
    typer.echo(
        f"rates/{made.name}/{made.version} is in force" if made else "in force already: nothing changes"
    )


COMMANDS = (thresholds, rates)
