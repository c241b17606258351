"""A load: some rows of a file, small enough to be held, and to be handed to another process."""

from typing import Any, NamedTuple

from schemas.rejected import Reason

LOAD_ROWS = 10_000
LOAD_BYTES = 4 * 1024 * 1024


class Broken(NamedTuple):
    """A line that is no row."""

    number: int
    reason: Reason
    detail: str
    original: bytes


class Load(NamedTuple):
    """Some rows: of CSV lists of texts under `names`, of NDJSON lines, of Parquet a record batch.

    `end` counts all rows of the file up to here, broken ones too; `read` is the place in the file, in bytes.
    """

    names: tuple[str, ...] | None
    numbers: list[int]
    rows: Any
    broken: list[Broken]
    end: int
    read: int
