"""`cdp demo`: the platform on real data."""

from typing import Annotated

import typer

from deploy.config import load_settings

KeepDates = Annotated[
    bool, typer.Option("--keep-dates", help="Leave the orders in 1997 and 1998 instead of up to yesterday.")
]


def demo(keep_dates: KeepDates = False) -> None:
    """Run 18 months of a music shop's real orders through the platform, and show what it knows."""
    from deploy.demo.play import run

    run(load_settings(create_secret=True), keep_dates=keep_dates)


COMMANDS = (demo,)
