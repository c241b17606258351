"""`cdp identity split | link | explain | simulate`: who is one customer."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.config import load_settings

identity = typer.Typer(
    name="identity", no_args_is_help=True, help="See why identifiers are one customer, and say it yourself."
)
Customer = Annotated[
    str, typer.Argument(help="A customer_id, present or former; or an identifier of the customer.")
]
Identifier = Annotated[
    str, typer.Argument(help="namespace:value, as email:a@b.c; or its key, as the views have it.")
]
Because = Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; it stands in the log.")]
File = Annotated[
    Path | None, typer.Argument(help="A changed identity.yaml, to see what it would bring.", dir_okay=False)
]


@identity.command()
def split(customer: Customer, identifier: Identifier, because: Because) -> None:
    """State that IDENTIFIER is not this customer's: two customers from now on, as if they had never been merged."""
    from deploy.identity import split as run

    _tell(*run(load_settings(), customer, identifier, because))


@identity.command()
def link(a: Identifier, b: Identifier, because: Because) -> None:
    """State that A and B are one customer's, whatever the rules say; it takes back that they are two.

    Whoever else has one of the two becomes that customer too: everybody is named before it is stated.
    """
    from deploy.identity import link as run

    _tell(*run(load_settings(), a, b, because, typer.echo))


@identity.command()
def explain(customer: Customer) -> None:
    """Show the identifiers of a customer, and which event made or refused each link between them."""
    from deploy.explain import explain as run

    run(load_settings(), customer)


@identity.command()
def simulate(file: File = None) -> None:
    """Run the rules over the whole log without writing: the largest profiles, the conflicts, what FILE would change."""
    from deploy.simulate import run

    run(load_settings(), file)


def _tell(what: str, undo: str) -> None:
    typer.echo(what)
    typer.echo(f"undo: {undo}")
