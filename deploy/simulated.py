"""What `cdp identity simulate` prints: customers, the largest, conflicts, and what changed rules would bring."""

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from deploy.terminal import plain
from processors.simulation import Difference, Outcome, Stated, compare, largest
from schemas.changes import customer_id
from schemas.definitions import key_of
from schemas.identity import IdentityRules, namespace_of
from schemas.state import MAX_MEMBERS

MOST = 10
"""Rows of a table; what is more is counted."""


def tell(
    console: Console,
    stated: Stated,
    rules: IdentityRules,
    outcome: Outcome,
    changed: tuple[IdentityRules, Outcome] | None,
) -> None:
    """Print the outcome under the rules in force, then what the changed ones would bring."""
    _outcome(console, stated, f"Rules in force, {key_of(rules)}", outcome)
    if changed is None:
        return
    _outcome(console, stated, f"Changed rules, {key_of(changed[0])}", changed[1])
    _difference(console, outcome, compare(stated, outcome, changed[1]))
    if rules.blocked != changed[0].blocked:
        console.print("`blocked` differs: it acts on events to come, not on keys that stand in the log.")


def _outcome(console: Console, stated: Stated, title: str, outcome: Outcome) -> None:
    console.print(f"\n[bold]{title}[/bold]", highlight=False)
    console.print(
        f"{outcome.customers:,} customers of {sum(stated.events.values()):,} events, "
        f"{len(outcome.groups):,} of them with several identifiers",
        highlight=False,
    )
    table = _table("largest profiles", "identifiers", "events", "which")
    for head, group, events in largest(stated, outcome, MOST):
        table.add_row(customer_id(head), f"{len(group):,}", f"{events:,}", plain(_kinds(group)))
    _show(console, table)
    _conflicts(console, "conflicts", outcome.refused)
    if outcome.crowded:
        console.print(
            f"{len(outcome.crowded):,} identifiers are crowded and join nobody: {_kinds(outcome.crowded)}",
            highlight=False,
        )
    for head, size in sorted(outcome.too_large.items(), key=lambda one: -one[1])[:MOST]:
        console.print(
            f"too large: {size:,} identifiers are connected with {head}; workers unite {MAX_MEMBERS} at most",
            highlight=False,
            markup=False,
        )


def _difference(console: Console, now: Outcome, difference: Difference) -> None:
    console.print("\n[bold]What would change[/bold]", highlight=False)
    merged, parted = difference.merged, difference.parted
    if not any(difference):
        console.print("nothing")
        return
    console.print(
        f"{sum(map(len, merged.values())):,} customers would become {len(merged):,}; {len(parted):,} would be parted "
        f"into {sum(map(len, parted.values())):,}; {len(difference.refused):,} new conflicts, "
        f"{len(difference.joined):,} of {len(now.refused):,} solved",
        highlight=False,
    )
    _show(console, _several("merged", "from", merged))
    _show(console, _several("parted", "into", parted))
    _conflicts(console, "new conflicts", difference.refused)


def _several(title: str, how: str, customers: Mapping[str, Sequence[str]]) -> Table:
    table = _table(title, "customers", how)
    ordered = sorted(customers.items(), key=lambda one: (-len(one[1]), one[0]))
    for head, heads in ordered[:MOST]:
        some = [customer_id(each) for each in heads[:3]]
        more = [f"and {len(heads) - 3:,} more"] if len(heads) > 3 else []
        table.add_row(customer_id(head), f"{len(heads):,}", "\n".join([*some, *more]))
    _and_more(table, len(customers))
    return table


def _conflicts(console: Console, title: str, refused: Mapping[str, str]) -> None:
    reasons = Counter(refused.values())
    counted = ", ".join(f"{number:,} {why}" for why, number in sorted(reasons.items()))
    console.print(f"{title}: {counted or 'none'}", highlight=False)
    table = _table("between", "and", "why")
    for pair, why in sorted(refused.items())[:MOST]:
        table.add_row(*map(plain, pair.split(" ")), why)
    _and_more(table, len(refused))
    _show(console, table)


def _kinds(keys: Sequence[str] | frozenset[str]) -> str:
    """How many of each namespace, as `user_id 1, email 2`."""
    counted = Counter(map(namespace_of, keys))
    return ", ".join(f"{namespace} {number:,}" for namespace, number in counted.most_common())


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, header_style="dim", pad_edge=False)


def _and_more(table: Table, number: int) -> None:
    if number > MOST:
        table.add_row(f"and {number - MOST:,} more")


def _show(console: Console, table: Table) -> None:
    if table.row_count:
        console.print(table, highlight=False)
