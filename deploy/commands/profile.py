"""`cdp profile show IDENTIFIER`: what the platform knows of one customer."""

from typing import Annotated

import typer

from deploy.config import load_settings

profile = typer.Typer(name="profile", no_args_is_help=True, help="Look at customers.")
Identifier = Annotated[
    str, typer.Argument(help="Any identifier as email:a@b.c; or a customer_id, present or former.")
]


@profile.callback()
def _group() -> None:
    """Look at customers."""


@profile.command()
def show(identifier: Identifier) -> None:
    """Show one customer's profile: identifiers and facts, the portrait, and their way through the stages."""
    from deploy.profile import show as run

    run(load_settings(), identifier)
