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
    _line(console, f"valid: {counted}; {_many(leaves, 'thing')} to remember of events")


def planned(console: Console, made: Plan, *, back: bool = False) -> None:
    """What would be published; `back`: what goes out of force does so for want of an earlier version."""
    if not made.steps:
        _line(console, "nothing differs from what is in force")
        return
    _line(console, f"{key_of(made.model)}:")
    for step in made.steps:
        goes = back and step.after is None
        _line(console, f"  {f'takes {step.name} out of force: it had no earlier version' if goes else step}")
    if made.leaves:
        new = _many(len(made.leaves), "new thing")
        _line(console, f"  {new} to remember of events: publishing backfills them")


def counted(console: Console, definition: Defined, found: Counted) -> None:
    """How many customers a definition holds, and some of them."""
    total = sum(found.by_value.values())
    _line(console, f"{key_of(definition)} holds {_many(total, 'customer')}")
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


def moved(
    console: Console,
    name: str,
    counts: Mapping[Moved, int],
    sample: Iterable[Move],
    known: Mapping[str, Mapping[str, Sequence[str]]],
) -> None:
    """Who would enter and leave by one definition, some of them by what is `known` of them in clear."""
    entering = sum(number for (_, becomes), number in counts.items() if becomes is not None)
    leaving = sum(number for (was, _), number in counts.items() if was is not None)
    _line(console, f"{name}: {entering:,} would enter, {leaving:,} would leave")
    if any(value for pair in counts for value in pair):
        table = _table("from", "to", "customers")
        for (was, becomes), number in sorted(counts.items(), key=lambda one: (-one[1], str(one[0]))):
            table.add_row(was or "-", becomes or "-", f"{number:,}")
        console.print(table, highlight=False)
    table = _table("some of them", "", "identifiers")
    for move in sample:
        table.add_row(move.customer_id, _way(move), plain(_clear(known.get(move.customer_id, {}))))
    if table.row_count:
        console.print(table, highlight=False)


def live(console: Console, before: Mapping[str, int], after: Mapping[str, int]) -> None:
    """Customers of each label whose number a publication changed, and how many it did not."""
    table = _table("customers of", "before", "after")
    names = sorted(before.keys() | after.keys())
    changed = [name for name in names if before.get(name, 0) != after.get(name, 0)]
    for name in changed:
        table.add_row(name, f"{before.get(name, 0):,}", f"{after.get(name, 0):,}")
    if changed:
        console.print(table, highlight=False)
    if same := len(names) - len(changed):
        _line(console, f"{_many(same, 'label')} with as many customers as before")


def told(console: Console, history: History, name: str | None, most: int | None) -> None:
    """The models, newest last, and what each changed; of one definition, where it is named. `most`: the newest only."""
    rows, previous = list[tuple[str, str, str, str]](), None
    for each in history.models:
        changed = [step for step in steps(previous, each.model) if name in (None, step.name)]
        previous = each.model
        if not changed and name is not None:
            continue
        state = "" if each.in_force else " (being backfilled)"
        what, because = "\n".join(_some(changed)), each.model.because or ""
        rows.append((f"{each.model.version}{state}", f"{each.at:%Y-%m-%d %H:%M:%S}", what, because))
    table, shown = _table("model", "when (UTC)", "what", "because"), rows if most is None else rows[-most:]
    for number, when, what, because in shown:
        table.add_row(number, when, what, plain(because))
    if shown:
        console.print(table, highlight=False)
    else:
        _line(console, "nothing was ever published")
    if more := len(rows) - len(shown):
        _line(console, f"and {more:,} before: `cdp definitions history --all` shows them")


def audited(console: Console, found: Audited) -> None:
    """Whether what is live is right."""
    if not found.differing:
        _line(console, f"all {_many(found.customers, 'customer')} carry exactly what ClickHouse finds")
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


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


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
