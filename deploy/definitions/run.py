"""The commands of `cdp definitions`, on a terminal."""

import csv
import json
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pydantic import TypeAdapter, ValidationError
from rich.console import Console

from deploy.definitions import history as log
from deploy.definitions import tell
from deploy.definitions.asking import SAMPLE, Move, affected, asked, context_of, moves, named, preview
from deploy.definitions.audit import audit
from deploy.definitions.history import History
from deploy.definitions.live import counts, wait_until_shown
from deploy.definitions.plan import standing
from deploy.definitions.publish import Done, Tell, planned, publish, roll_back
from processors.portrait.model import leaves as leaves_of
from schemas import definitions, folders
from schemas.conditions import Text
from schemas.definitions import key_of
from schemas.errors import ConfigError
from schemas.folders import Folder
from schemas.graph import Defined
from schemas.lifecycle import Lifecycle
from schemas.portrait import Model
from schemas.settings import Settings

FORMATS = ("csv", "json")
_COLUMNS = ("customer_id", "definition", "was", "becomes")


def validate(settings: Settings, name: str | None) -> None:
    """Print that a folder's definitions can be in force together; ConfigError names every fault. No server is asked."""
    lifecycle = definitions.load(settings.lifecycle, "lifecycle")
    assert isinstance(lifecycle, Lifecycle)
    found = folders.checked(_folder(settings, name), lifecycle)
    tell.valid(Console(), found, len(leaves_of(found)))


def show(settings: Settings, name: str, folder: str | None) -> None:
    """Print how many customers a definition of a folder, or of those in force, holds now, and some of them."""
    console, history = _started(settings)
    wanted = _wanted(settings, history, folder)
    definition = named(wanted, name)
    with console.status("counting"):
        found = preview(settings, definition, context_of(settings, history, wanted))
    tell.counted(console, definition, found)


def differ(settings: Settings, folder: str | None, name: str | None, all_: str | None) -> None:
    """Print who would enter and leave; everybody, as CSV or JSON lines, where `all_` names one of the two."""
    if all_ not in (None, *FORMATS):
        raise ConfigError(f"no format {all_}", "--all", f"one of {', '.join(FORMATS)}")
    console, history = _started(settings)
    wanted = _wanted(settings, history, folder, in_force=False)
    made = planned(history, wanted)
    before = _in_force(history)
    pairs = affected(before, made.definitions)
    if name is not None:
        named([*before, *made.definitions], name)
        pairs = [
            pair for pair in pairs if any(each and key_of(each).rpartition("/")[0] == name for each in pair)
        ]
    if all_ is None:
        tell.planned(console, made)
    context = context_of(settings, history, made.definitions)
    write = _writer(all_) if all_ else None
    with asked(settings) as client:
        for was, becomes in pairs:
            found, sample, about = Counter[tell.Moved](), list[Move](), _about(was, becomes)
            for move in moves(client, was, becomes, context, before):
                found[move.was, move.becomes] += 1
                if write:
                    write((move.customer_id, about, _shown(move.was), _shown(move.becomes)))
                elif len(sample) < SAMPLE:
                    sample.append(move)
            if not write:
                tell.moved(console, about, found, sample)


def publish_(settings: Settings, name: str | None, because: str) -> None:
    """Put a folder's definitions in force, and print what that changed."""
    _check_reason(because)
    folder = _folder(settings, name)
    _publish(settings, lambda told: publish(settings, folder, because, told))


def roll_back_(settings: Settings, name: str, because: str) -> None:
    """Take a definition back to its latest earlier version, and print what that changed."""
    _check_reason(because)
    _publish(settings, lambda told: roll_back(settings, name, because, told))


def _check_reason(because: str) -> None:
    try:
        TypeAdapter(Text).validate_python(because)
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ConfigError(f"a reason is needed, of 1 to 200 characters: {said}", "--because") from None


def past(settings: Settings, name: str | None) -> None:
    """Print what was published."""
    console, history = _started(settings)
    tell.told(console, history, name)


def check(settings: Settings) -> bool:
    """Print whether what is live is what ClickHouse finds over all events; gives whether it is."""
    console, history = _started(settings)
    with console.status("comparing every customer") as status:
        found = audit(
            settings, history, lambda left: status.update(f"comparing every customer, {left:,} differ")
        )
    tell.audited(console, found)
    return not found.differing


def _publish(settings: Settings, work: Callable[[Tell], Done]) -> None:
    console, _ = _started(settings)
    with _waiting(console) as told:
        before = counts(settings)
        done = work(told)
        if done.finished is not None:
            console.print(f"finished first: {key_of(done.finished)}, which was begun before", highlight=False)
        tell.planned(console, done.plan)
        if done.plan.steps:
            wait_until_shown(settings, told)
            tell.live(console, before, counts(settings))
            console.print(f"{key_of(done.plan.model)} is in force", highlight=False)


@contextmanager
def _waiting(console: Console) -> Iterator[Tell]:
    with console.status("publishing") as status:
        yield lambda what, number: status.update(f"{what}: {number:,}")


def _started(settings: Settings) -> tuple[Console, History]:
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what matters of its warnings comes as an error
    return Console(), log.read(settings)


def _folder(settings: Settings, name: str | None) -> Folder:
    given = name or settings.definitions
    if not given:
        raise ConfigError("which definitions?", "FOLDER", "name a folder or a preset, or set CDP_DEFINITIONS")
    return folders.read(folders.folder_of(given))


def _wanted(settings: Settings, history: History, name: str | None, in_force: bool = True) -> list[Defined]:
    if name is None and in_force:
        return _in_force(history)
    return folders.checked(_folder(settings, name), history.lifecycle)


def _in_force(history: History) -> list[Defined]:
    now: Model | None = history.now
    return standing(history.definitions, now) if now else [history.lifecycle]


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
