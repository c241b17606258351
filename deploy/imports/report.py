"""The report of a file's rejected rows: beside it, a line of JSON for each, with its number and the reason."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import orjson

from deploy.imports.load import Broken
from schemas.errors import ConfigError

ENDING = ".rejected.ndjson"


class Report:
    """Begun with the first rejected row; `kept`: how many lines of an earlier run still hold.

    What is written is in the file when `write` returns: before the log says that these rows are done with.
    """

    def __init__(self, file: Path, kept: int) -> None:
        self.path = file.with_name(file.name + ENDING)
        self._file: IO[bytes] | None = None
        with self._told():
            _cut(self.path, kept)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        if self.path.exists() and not self.path.stat().st_size:
            self.path.unlink()

    def write(self, rejected: list[Broken]) -> None:
        """Add rows."""
        if not rejected:
            return
        with self._told():
            if self._file is None:
                self.path.touch(mode=0o600)  # rows are of persons
                self._file = self.path.open("ab")
            self._file.write(b"".join(map(line, rejected)))
            self._file.flush()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            what = f"the report of rejected rows cannot be written: {error.strerror}"
            raise ConfigError(what, str(self.path)) from None


def line(broken: Broken) -> bytes:
    """A rejected row: `{"line": 7, "reason": "invalid", "detail": "…", "row": {…}}`, or `text` where it is no row."""
    said = {"line": broken.number, "reason": broken.reason.value, "detail": broken.detail}
    try:
        row = {"row": orjson.loads(broken.original)}
    except orjson.JSONDecodeError:
        row = {"text": broken.original.decode("utf-8", "replace")}
    return orjson.dumps({**said, **row}, option=orjson.OPT_APPEND_NEWLINE)


def _cut(path: Path, kept: int) -> None:
    """Leave the first lines only."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        for _ in range(kept):
            if not file.readline().endswith(b"\n"):
                break
        file.truncate(file.tell())
