"""The secrets that adapters verify their senders by: from files, else from the environment; never shown.

A file `$CDP_SECRETS/SOURCE/NAME`, or the variable `CDP_SECRET_SOURCE_NAME` (upper case, `-` as `_`). A secret that is
being rotated has two lines, the newest first: what either signs is taken. A file that changes holds within seconds.
"""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from ingest.adapters.adapter import Adapter, Named, wrong

SECONDS = 2.0
"""For so long a file is not read again."""
MAX_FILE = 64 * 1024
MAX_VALUES = 5
"""Values of a secret that are tried: more would let anybody make ingest work."""

MISSING = "a secret is missing"

say = structlog.get_logger("ingest.adapters.secrets")


class Missing(Exception):
    """A source lacks a secret that its adapter needs, or has none that it could verify by."""


class Secrets:
    """The secrets of all sources; `clock` is in seconds."""

    def __init__(self, folder: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._clock = folder, clock
        self._known: dict[str, tuple[float, tuple[str, ...], list[Named]]] = {}
        self._told: dict[str, dict[str, str]] = {}

    def of(self, source: str, adapter: Adapter) -> list[Named]:
        """What to verify by, each by its name: the newest first, then those that are still valid while rotating.

        Missing where the source has none; that is told in the log, once until it has. So is a value that cannot be
        what it is for, beside which those that can go on.
        """
        now, kind = self._clock(), (adapter.name, *adapter.secrets)
        until, known, found = self._known.get(source, (0.0, (), []))
        if now >= until or kind != known:
            found = self._read(source, adapter)
            self._known[source] = now + SECONDS, kind, found
        return found

    def _read(self, source: str, adapter: Adapter) -> list[Named]:
        names = (*adapter.secrets, *adapter.optional_secrets)
        found = {name: values(self._folder, source, name) for name in names}
        troubles = {name: what for name, given in found.items() if (what := _trouble(adapter, name, given))}
        self._tell(source, troubles)
        sets = _sets({name: given for name, given in found.items() if given})
        usable = [each for each in sets if not any(wrong(adapter, *item) for item in each.items())]
        if not usable or MISSING in troubles.values():
            raise Missing
        return usable

    def _tell(self, source: str, troubles: dict[str, str]) -> None:
        """Say each once, until it is over."""
        told = self._told.get(source, {})
        for name, what in troubles.items():
            if told.get(name) != what:
                say.error(what, source=source, secret=name, **dict(places(self._folder, source, name)))
        self._told[source] = troubles


def _trouble(adapter: Adapter, name: str, given: list[str]) -> str:
    """What is wrong with a secret, without a word of it; empty where nothing is."""
    if error := wrong(adapter, name, *given):
        return f"a secret cannot be used: {error.what}; {error.hint}"
    return MISSING if name in adapter.secrets and not given else ""


def values(folder: Path | None, source: str, name: str) -> list[str]:
    """The values of a secret that are valid now, the newest first; none where it is missing or cannot be read."""
    try:
        text = _file(folder, source, name) if folder is not None else None
    except (OSError, ValueError):
        return []
    if text is None:
        text = os.environ.get(variable(source, name), "")
    return [line.strip() for line in text.splitlines() if line.strip()][:MAX_VALUES]


def places(folder: Path | None, source: str, name: str) -> Iterable[tuple[str, str]]:
    """Where a secret may be, for people."""
    if folder is not None:
        yield "file", str(folder / source / name)
    yield "variable", variable(source, name)


def variable(source: str, name: str) -> str:
    """The environment variable of a secret."""
    return f"CDP_SECRET_{source}_{name}".upper().replace("-", "_")


def _file(folder: Path, source: str, name: str) -> str | None:
    """What the file says; None where there is none."""
    try:
        with (folder / source / name).open("rb") as file:
            return file.read(MAX_FILE).decode()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _sets(found: dict[str, list[str]]) -> list[Named]:
    """The first values of all, then the second, and so on; one that has no more keeps its last."""
    most = max(map(len, found.values()), default=1)
    return [{name: given[min(n, len(given) - 1)] for name, given in found.items()} for n in range(most)]
