"""What `cdp definitions` prints."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from deploy.definitions.asking import Counted, Move
from deploy.definitions.audit import Audited
from deploy.definitions.history import History
from deploy.definitions.plan import Plan, Step, steps
from deploy.terminal import plain
from schemas.definitions import key_of
from schemas.graph import KINDS, Defined

MOST = 10
"""Rows of a table; what is more is counted."""
Moved = tuple[str | None, str | None]
"""What a label was and what it becomes; None where it is not carried."""


def valid(console: Console, definitions: Sequence[Defined], leaves: int) -> None:
    """That these can be in force together."""
    kinds: Counter[str] = Counter(each.kind for each in definitions)
    counted = ", ".join(f"{kinds[kind]} {kind}" for kind in KINDS if kinds[kind])
    _line(console, f"valid: {counted}; {leaves:,} things to remember of events")


def planned(console: Console, made: Plan) -> None:
    """What would be published."""
    if not made.steps:
        _line(console, "nothing differs from what is in force")
        return
    _line(console, f"{key_of(made.model)}:")
    for step in made.steps:
        _line(console, f"  {step}")
    if made.leaves:
        _line(console, f"  {len(made.leaves):,} new things to remember of events: publishing backfills them")


def counted(console: Console, definition: Defined, found: Counted) -> None:
    """How many customers a definition holds, and some of them."""
    total = sum(found.by_value.values())
    _line(console, f"{key_of(definition)} holds {total:,} customers")
    if set(found.by_value) - {""}:
        table = _table("value", "customers")
        for value, number in found.by_value.items():
            table.add_row(value, f"{number:,}")
        console.print(table, highlight=False)
    if found.sample:
        table = _table("some of them", "", "identifiers")
        for id_, value, identifiers in found.sample:
            table.add_row(id_, value, plain(_clear(identifiers)))
        console.print(table, highlight=False)


def moved(console: Console, name: str, counts: Mapping[Moved, int], sample: Iterable[Move]) -> None:
    """Who would enter and leave by one definition."""
    entering = sum(number for (_, becomes), number in counts.items() if becomes is not None)
    leaving = sum(number for (was, _), number in counts.items() if was is not None)
    _line(console, f"{name}: {entering:,} would enter, {leaving:,} would leave")
    if any(value for pair in counts for value in pair):
        table = _table("from", "to", "customers")
        for (was, becomes), number in sorted(counts.items(), key=lambda one: (-one[1], str(one[0]))):
            table.add_row(was or "-", becomes or "-", f"{number:,}")
        console.print(table, highlight=False)
    table = _table("some of them", "")
    for move in sample:
        table.add_row(move.customer_id, _way(move))
    console.print(table, highlight=False)


def live(console: Console, before: Mapping[str, int], after: Mapping[str, int]) -> None:
    """Customers of each label before and after a publication."""
    table = _table("customers of", "before", "after")
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name, 0), after.get(name, 0)
        table.add_row(name, f"{was:,}", f"{now:,}" if was != now else "")
    console.print(table, highlight=False)


def told(console: Console, history: History, name: str | None) -> None:
    """The models, newest last, and what each changed; of one definition, where it is named."""
    table, previous = _table("model", "when (UTC)", "what", "because"), None
    for each in history.models:
        changed = [step for step in steps(previous, each.model) if name in (None, step.name)]
        previous = each.model
        if not changed and name is not None:
            continue
        state = "" if each.in_force else " (being backfilled)"
        because = plain(each.model.because or "")
        number = f"{each.model.version}{state}"
        table.add_row(number, f"{each.at:%Y-%m-%d %H:%M:%S}", "\n".join(_some(changed)), because)
    if table.row_count:
        console.print(table, highlight=False)
    else:
        _line(console, f"{name or 'a model'} was never published")


def audited(console: Console, found: Audited) -> None:
    """Whether what is live is right."""
    if not found.differing:
        _line(console, f"all {found.customers:,} customers carry exactly what ClickHouse finds")
        return
    _line(
        console,
        f"{len(found.differing):,} of {found.customers:,} customers differ from what ClickHouse finds",
    )
    table = _table("label", "customers")
    for name, number in found.by_label.most_common(MOST):
        table.add_row(name, f"{number:,}")
    console.print(table, highlight=False)
    table = _table("some of them", "label", "is", "should be")
    for each in found.differing[:MOST]:
        for name in each.names[:3]:
            table.add_row(each.customer_id, name, _carried(each.live, name), _carried(each.should, name))
    console.print(table, highlight=False)


def _some(changed: Sequence[Step]) -> list[str]:
    more = [f"and {len(changed) - MOST:,} more"] if len(changed) > MOST else []
    return [*map(str, changed[:MOST]), *more]


def _carried(labels: Mapping[str, str], name: str) -> str:
    return labels[name] or "yes" if name in labels else "no"


def _way(move: Move) -> str:
    if move.was is None or move.becomes is None:
        verb, value = ("enters", move.becomes) if move.was is None else ("leaves", move.was)
        return f"{verb} {value}".rstrip()
    return f"{move.was} -> {move.becomes}"


def _clear(identifiers: Mapping[str, Sequence[str]]) -> str:
    found = [f"{namespace}:{value}" for namespace, values in sorted(identifiers.items()) for value in values]
    return ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, header_style="dim", pad_edge=False)


def _line(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
