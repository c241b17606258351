"""The log files of the local stack: kept small, and read."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

LIMIT = 10 * 1024 * 1024


def rotate(folder: Path, limit: int = LIMIT) -> None:
    """Move the content of each log that is too large into NAME.log.1, for the one before is forgotten.

    The file stays the same one, because its process goes on appending to it.
    """
    for path in folder.glob("*.log"):
        if path.stat().st_size > limit:
            shutil.copyfile(path, path.with_name(path.name + ".1"))
            with path.open("r+b") as file:
                file.truncate(0)


def follow(paths: list[Path]) -> Iterator[tuple[str, str]]:
    """Yield (name, line) for each line that is appended from now on, for ever."""
    places = {path: path.stat().st_size for path in paths}
    while True:
        for path in paths:
            lines, places[path] = appended(path, places[path])
            for line in lines:
                yield path.stem, line
        time.sleep(0.2)


def appended(path: Path, place: int) -> tuple[list[str], int]:
    """Return the whole lines after a place (from the start, where the file became shorter) and the next place."""
    with path.open("rb") as file:
        file.seek(place if path.stat().st_size >= place else 0)
        start = file.tell()
        data = file.read()
    end = data.rfind(b"\n") + 1
    return data[:end].decode(errors="replace").splitlines(), start + end
