"""The commands of `cdp definitions`, on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from deploy.definitions import tell
from deploy.definitions.asking import context_of, named, preview
from deploy.definitions.audit import audit
from deploy.definitions.finish import Tell
from deploy.definitions.given import check_is_all, folder_of, in_force, started, wanted
from deploy.definitions.live import counts, wait_until_shown
from deploy.definitions.names import meant
from deploy.definitions.plan import Plan, versions
from deploy.definitions.publish import Done, Show, publish, roll_back
from deploy.reason import reason
from deploy.terminal import console as terminal
from processors.portrait.model import leaves as leaves_of
from schemas import definitions, folders
from schemas.definitions import key_of
from schemas.errors import ConfigError
from schemas.lifecycle import Lifecycle
from schemas.plain import plain
from schemas.portrait import Model
from schemas.settings import Settings

NEWEST = 20
"""Publications that `history` shows."""


def validate(settings: Settings, name: str | None) -> None:
    """Print that a folder's definitions can be in force together; ConfigError names every fault. No server is asked."""
    lifecycle = definitions.load(settings.lifecycle, "lifecycle")
    assert isinstance(lifecycle, Lifecycle)
    found = folders.checked(folder_of(settings, name), lifecycle)
    tell.valid(terminal(), found, len(leaves_of(found)))


def show(settings: Settings, name: str, folder: str | None) -> None:
    """Print how many customers a definition of a folder, or of those in force, holds now, and some of them."""
    read = folder_of(settings, folder) if folder else None
    console, history = started(settings)
    known = wanted(read, history) if read else in_force(history)
    definition = named(known, name)
    with console.status("counting"):
        found = preview(settings, definition, context_of(settings, history, known))
    tell.counted(console, definition, found)


def publish_(settings: Settings, name: str | None, because: str) -> None:
    """Put a folder's definitions in force, and print what that changes before, and who it changed after."""
    because = _plain(because)
    folder = folder_of(settings, name)
    console, history = started(settings)
    check_is_all(folder, history)
    _publish(settings, console, lambda told, shown: publish(settings, folder, because, told, shown))


def roll_back_(settings: Settings, name: str, because: str) -> None:
    """Take a definition back to its latest earlier version, and print what that changes before, and did after."""
    because = _plain(because)
    console, _ = started(settings)
    _publish(
        settings, console, lambda told, shown: roll_back(settings, name, because, told, shown), back=True
    )


def _plain(because: str) -> str:
    """The reason, in plain words as every text of a definition."""
    try:
        return plain(reason(because))
    except ValueError as error:
        raise ConfigError(f"a reason is needed in plain words: {error}", "--because") from None


def past(settings: Settings, name: str | None, *, all_: bool) -> None:
    """Print what was published, the newest or all; ConfigError where a definition that is named never was."""
    console, history = started(settings, clickhouse=False)
    if name is not None:
        ever = {each for published in history.models for each in versions(published.model)}
        name = meant(ever, name, "KIND/NAME", "{} was never published")
    tell.told(console, history, name, None if all_ else NEWEST)


def check(settings: Settings) -> bool:
    """Print whether what is live is what ClickHouse finds over all events; gives whether it is."""
    console, history = started(settings)
    with console.status("comparing every customer") as status:
        found = audit(
            settings, history, lambda left: status.update(f"comparing every customer, {left:,} differ")
        )
    tell.audited(console, found)
    return not found.differing


def _publish(
    settings: Settings, console: Console, work: Callable[[Tell, Show], Done], *, back: bool = False
) -> None:
    def shown(made: Plan, finished: Model | None) -> None:
        if finished is not None:
            console.print(f"finished first: {key_of(finished)}, which was begun before", highlight=False)
        tell.planned(console, made, back=back)

    with _waiting(console) as told:
        before = counts(settings)
        done = work(told, shown)
        if done.by_another:
            console.print("in force: finished by another publisher", highlight=False)
        if done.plan.steps:
            wait_until_shown(settings, told)
            tell.live(console, before, counts(settings))
            console.print(f"{key_of(done.plan.model)} is in force", highlight=False)


@contextmanager
def _waiting(console: Console) -> Iterator[Tell]:
    with console.status("publishing") as status:
        yield lambda what, number: status.update(f"{what}: {number:,}")
