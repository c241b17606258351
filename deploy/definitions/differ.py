"""`cdp definitions diff`: what publishing a folder would change, as tables, or everybody as CSV or JSON."""

import csv
import json
import sys
from collections import Counter
from collections.abc import Callable

from deploy.definitions import tell
from deploy.definitions.asking import SAMPLE, Move, affected, asked, context_of, identifiers, moves
from deploy.definitions.given import check_is_all, folder_of, in_force, started, wanted
from deploy.definitions.names import meant
from deploy.definitions.publish import planned
from schemas.definitions import key_of
from schemas.errors import ConfigError
from schemas.graph import Defined, name_of
from schemas.settings import Settings

FORMATS = ("csv", "json")
_COLUMNS = ("customer_id", "definition", "was", "becomes")
Pair = tuple[Defined | None, Defined | None]


def differ(settings: Settings, folder: str | None, name: str | None, all_: str | None) -> None:
    """Print who would enter and leave; everybody, as CSV or JSON lines, where `all_` names one of the two."""
    if all_ not in (None, *FORMATS):
        raise ConfigError(f"no format {all_}", "--all", f"one of {', '.join(FORMATS)}")
    read = folder_of(settings, folder)
    console, history = started(settings)
    check_is_all(read, history)
    made, before = planned(history, wanted(read, history)), in_force(history)
    pairs = _only(affected(before, made.definitions), name, [*before, *made.definitions])
    if all_ is None:
        tell.planned(console, made)
    context = context_of(settings, history, made.definitions)
    earlier = context_of(settings, history, before, context.now)
    write = _writer(all_) if all_ else None
    with asked(settings) as client:
        for was, becomes in pairs:
            found, sample, about = Counter[tell.Moved](), list[Move](), _about(was, becomes)
            for move in moves(client, was, becomes, context, earlier):
                found[move.was, move.becomes] += 1
                if write:
                    write((move.customer_id, about, _shown(move.was), _shown(move.becomes)))
                elif len(sample) < SAMPLE:
                    sample.append(move)
            if not write:
                known = identifiers(settings, client, [move.customer_id for move in sample])
                tell.moved(console, about, found, sample, known)


def _only(pairs: list[Pair], name: str | None, there: list[Defined]) -> list[Pair]:
    """Those of one definition, where one is named; ConfigError where there is no such."""
    if name is None:
        return pairs
    full = meant(map(name_of, there), name, "--name")
    return [pair for pair in pairs if any(each and name_of(each) == full for each in pair)]


def _shown(value: str | None) -> str | None:
    """A segment and a role have no values: one is in them, or not."""
    return "in" if value == "" else value


def _about(was: Defined | None, becomes: Defined | None) -> str:
    both = [key_of(each) for each in (was, becomes) if each is not None]
    return " -> ".join(dict.fromkeys(both))


def _writer(form: str) -> Callable[[tuple[str, str, str | None, str | None]], None]:
    if form == "json":
        return lambda row: print(json.dumps(dict(zip(_COLUMNS, row, strict=True))))
    writer = csv.writer(sys.stdout)
    writer.writerow(_COLUMNS)
    return writer.writerow
