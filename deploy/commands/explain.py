"""`cdp explain CUSTOMER STAGE|TAG|SEGMENT|ROLE`: why a customer is what they are."""

from typing import Annotated

import typer

from deploy.config import load_settings

Customer = Annotated[
    str, typer.Argument(help="A customer_id, present or former; or an identifier, as email:a@b.c.")
]
What = Annotated[
    str,
    typer.Argument(
        metavar="STAGE|TAG|SEGMENT|ROLE",
        help="As segment/vip, tag/basket or role/fan, or vip alone; `stage` and `value` for what they are now.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="As JSON, with every event named.")]


def explain(customer: Customer, what: What, json: Json = False) -> None:
    """Show why: the tree of conditions, each with its value, the events that make it so, and when time changes it."""
    from deploy.answer import explain as run
    from deploy.tree import show

    show(run(load_settings(), customer, what), as_json=json)


COMMANDS = (explain,)
