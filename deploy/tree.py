"""An answer and what it is made of, on a terminal and as JSON."""

from typing import Any

import orjson
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from deploy.answer import Told, moment
from deploy.terminal import console, plain
from processors.portrait.explain import Answer

MANY = 5
_LABELS = ("stage", "segment", "role", "tag", "tier")


def show(told: Told, *, as_json: bool) -> None:
    """Print it."""
    if as_json:
        print(orjson.dumps(document(told), option=orjson.OPT_INDENT_2).decode())
        return
    out = console()
    head = Table(box=None, show_header=False, pad_edge=False)
    for name, text in (
        ("customer", told.customer.id), ("definition", told.definition), ("at", moment(told.now, told.timezone)),
    ):  # fmt: skip
        head.add_row(Text(name, "dim"), plain(text))
    out.print(head, highlight=False)
    out.print(_tree(told.answer, told.timezone, set()), highlight=False)


def document(told: Told) -> dict[str, Any]:
    """All of it. A label that was told before is told without its parts, `above`."""
    return {
        "customer_id": told.customer.id, "asked": told.asked, "definition": told.definition,
        "at": moment(told.now, told.timezone), "answer": _json(told.answer, told.timezone, set()),
    }  # fmt: skip


def _json(answer: Answer, timezone: str, seen: set[int]) -> dict[str, Any]:
    above = _is_above(answer, seen)
    changes = None if answer.changes_at is None else moment(answer.changes_at, timezone)
    return {
        "operator": answer.operator, "says": answer.says, "holds": answer.holds, "value": answer.value,
        "events": answer.events, "changes_at": None if changes == "never" else changes,
        **({"above": True} if above else {"parts": [_json(part, timezone, seen) for part in answer.parts]}),
    }  # fmt: skip


def _tree(answer: Answer, timezone: str, seen: set[int]) -> Tree:
    above = _is_above(answer, seen)
    line = Text("yes " if answer.holds else "no  ", "green" if answer.holds else "red")
    line.append_text(plain(answer.says))
    if answer.value is not None:
        line.append_text(Text(": ", "dim")).append_text(plain(_text(answer.value)))
    for more in ["told above"] if above else _about(answer, timezone):
        line.append("\n").append_text(Text("    ", "dim")).append_text(plain(more))
        line.stylize("dim", len(line) - len(more))
    tree = Tree(line, guide_style="dim")
    for part in () if above else answer.parts:
        tree.children.append(_tree(part, timezone, seen))
    return tree


def _about(answer: Answer, timezone: str) -> list[str]:
    found = []
    if answer.events:
        more = len(answer.events) - MANY
        named = ", ".join(answer.events[-MANY:])
        found.append(f"rests on {named}" + (f" and {more:,} before" if more > 0 else ""))
    else:
        found.append("rests on no event")
    if answer.changes_at is not None and (at := moment(answer.changes_at, timezone)) != "never":
        found.append(f"by itself {'no' if answer.holds else 'yes'} from {at}")
    return found


def _is_above(answer: Answer, seen: set[int]) -> bool:
    if answer.operator not in _LABELS or not answer.parts:
        return False
    if id(answer) in seen:
        return True
    seen.add(id(answer))
    return False


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
