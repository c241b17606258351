"""Who becomes one customer by an operator's word, by the view of customers itself over what was stated. Pure."""

from collections.abc import Mapping, Sequence

from deploy.known import Customer
from deploy.statement import SOURCE, Statement
from processors.handle import new_cluster
from processors.identifiers import Identifiers
from processors.rules.customers import customers
from schemas.identity import IdentityRules

MANY = 5
"""Identifiers of a customer that are named."""


def united(
    rules: IdentityRules,
    owners: Mapping[str, str],
    statements: Sequence[Statement],
    pair: tuple[str, str],
    at_ms: int,
) -> list[str]:
    """The customers that are one once a pair is said to be one: the greatest's first; none where it stays two.

    `owners`: identifier -> whose it is, for all that are connected with either. Whoever was kept apart only by what the
    pair's own split says comes along.
    """
    identifiers, cluster = Identifiers(rules), new_cluster(pair[0])
    cluster["members"] = identifiers.sorted({*owners, *pair})
    for stated in statements:
        ends = f"{stated['greater']} {stated['lesser']}"
        when = [round(stated["stated_at"].timestamp() * 1000), stated["message_id"], stated["source"]]
        if stated["kind"] == "link":
            cluster["links"][ends] = when
        else:
            cluster["said"][ends] = max([*when, stated["kind"]], cluster["said"].get(ends, []))
    cluster["said"][" ".join(pair)] = [at_ms, "", SOURCE, "alias"]
    (mine,) = (group for group in customers(cluster, identifiers).groups if pair[0] in group)
    return list(dict.fromkeys(owners[key] for key in mine if key in owners)) if pair[1] in mine else []


def told(become: Sequence[Customer]) -> str:
    """Everybody who becomes one, a line each."""
    return "\n  ".join([f"these {len(become)} customers become one:", *map(named, become)])


def named(customer: Customer) -> str:
    """A customer by identifiers that people can read, where any is known in clear; else by their keys."""
    clear = [customer.names[key] for key in customer.keys if customer.names.get(key, "\n").isprintable()]
    shown = clear or customer.keys
    more = (
        f" and {len(customer.keys) - len(shown[:MANY]):,} more"
        if len(customer.keys) > len(shown[:MANY])
        else ""
    )
    return f"customer {customer.id}: {', '.join(shown[:MANY])}{more}"
