"""What a command of `cdp definitions` starts from: the history that the log tells, and a folder."""

import logging

from rich.console import Console

from deploy.definitions import history as log
from deploy.definitions.history import History
from deploy.definitions.plan import standing, versioned, versions
from deploy.reach import check
from deploy.terminal import console
from schemas import folders
from schemas.errors import ConfigError
from schemas.folders import Folder
from schemas.graph import Defined
from schemas.portrait import Model
from schemas.settings import Settings

SOME = 5


def started(settings: Settings, *, clickhouse: bool = True) -> tuple[Console, History]:
    """A terminal and the history; Unavailable at once where nothing listens."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what matters of its warnings comes as an error
    check(settings, clickhouse=clickhouse)
    return console(), log.read(settings)


def folder_of(settings: Settings, name: str | None) -> Folder:
    """The folder of a name, or that of the settings; ConfigError where there is none."""
    given = name or settings.definitions
    if not given:
        raise ConfigError("which definitions?", "FOLDER", "name a folder or a preset, or set CDP_DEFINITIONS")
    return folders.read(folders.folder_of(given))


def wanted(folder: Folder, history: History) -> list[Defined]:
    """The definitions of a folder as they can be in force together, each with its version; else ConfigError."""
    found = folders.checked(folder, history.lifecycle)
    return versioned(history.definitions, history.now, found, folder.unversioned)


def in_force(history: History) -> list[Defined]:
    """The definitions in force."""
    now: Model | None = history.now
    return standing(history.definitions, now) if now else [history.lifecycle]


def check_is_all(folder: Folder, history: History) -> None:
    """ConfigError where one file is given for all that shall be in force, and others would go out of it."""
    gone = sorted(versions(history.now).keys() - folder.written.keys())
    gone = [name for name in gone if not name.startswith("lifecycle/")]  # stays where no other is given
    if not folder.path.is_file() or not gone:
        return
    more = f" and {len(gone) - SOME:,} more" if len(gone) > SOME else ""
    raise ConfigError(
        f"one file is given where all that shall be in force is meant: {', '.join(gone[:SOME])}{more} would go out of "
        "force",
        str(folder.path),
        "name the folder with all definitions; a single file can be tried by `cdp definitions preview NAME FILE`",
    )
