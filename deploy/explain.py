"""`cdp identity explain`: why these identifiers are one customer, and others are not, as a table."""

from collections.abc import Iterable
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from deploy.known import Customer, customer, customers, graph
from deploy.profile import keys_of
from deploy.terminal import console, plain
from projections.connect import connect, retried
from schemas.settings import Settings

READ_S = 10.0
KINDS = {"link": "in one event", "alias": "said to be one", "split": "said to be two"}
VERDICTS = {
    "joined": "one customer",
    "parted": "two customers",
    "unique": "refused: each has a value of a namespace of which a customer has one",
    "shared": "refused: it is shared, and joined elsewhere",
    "split": "refused: they were said to be two",
    "too_large": "refused: the customer would become too large",
    "crowded": "does not count: an end is linked with more identifiers than its limit",
    "elsewhere": "not here: an end belongs to another set of identifiers",
    "nobody": "one, but neither had an event of its own",
}


def explain(settings: Settings, who: str) -> None:
    """Print the graph of a customer, and what stated each link; NotFound where there is no such customer."""
    keys = keys_of(settings)
    with connect(settings) as client:

        def find() -> tuple[Customer, list[dict[str, Any]], list[Customer]]:
            of, _ = customer(client, keys, who)
            mine = [stated for stated in graph(client, of.root) if _concerns(stated, of)]
            return of, mine, customers(client, keys, sorted(_others(mine, of)))

        of, mine, others = retried(settings, find, READ_S)
    console().print(page(of, mine, others), highlight=False)


def page(of: Customer, statements: Iterable[dict[str, Any]], others: Iterable[Customer]) -> Group:
    """What is printed: the customer, then each statement in order of time."""
    names = {key: name for each in (*others, of) for key, name in each.names.items()}
    head = Table(box=None, show_header=False, pad_edge=False)
    head.add_row("[dim]customer[/dim]", of.id)
    head.add_row("[dim]stage[/dim]", of.stage)
    head.add_row("[dim]identifiers[/dim]", plain_lines(names.get(key, key) for key in of.keys))
    if of.former:
        head.add_row("[dim]merged into it[/dim]", plain_lines(of.former))
    table = Table("identifiers", "stated", "by", "outcome", box=None, header_style="dim", pad_edge=False)
    for stated in statements:
        ends = [names.get(stated[end], stated[end]) for end in ("greater", "lesser")]
        by = [stated["name"] or "(event not here yet)", f"{stated['source']}/{stated['message_id']}"]
        if stated["because"]:
            by.append(f"because: {stated['because']}")
        table.add_row(
            plain_lines(ends),
            plain_lines((KINDS[stated["kind"]], f"{stated['stated_at']:%Y-%m-%d %H:%M:%S}")),
            plain_lines(by),
            plain_lines(_verdict(stated, of)),
        )
        table.add_row()
    body = table if table.row_count else Text("Nothing links it with another identifier.")
    return Group(head, Text(), body)


def plain_lines(texts: Iterable[str]) -> Text:
    """Texts that others wrote, each on its line."""
    return Text("\n").join(plain(text) for text in texts)


def _verdict(stated: dict[str, Any], of: Customer) -> list[str]:
    verdict = stated["verdict"]
    other = sorted(_others([stated], of))
    return [VERDICTS.get(verdict, verdict), *(f"the other is {id_}" for id_ in other)]


def _concerns(stated: dict[str, Any], of: Customer) -> bool:
    return not {stated["greater"], stated["lesser"]}.isdisjoint(of.keys)


def _others(statements: Iterable[dict[str, Any]], of: Customer) -> set[str]:
    """Customers at the other ends."""
    found = {stated[f"{end}_customer_id"] for stated in statements for end in ("greater", "lesser")}
    return {str(id_) for id_ in found if id_ is not None} - {of.id}
