"""Opening what is to be imported: which format and compression a file has, its hash, and its bytes as they are read."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b, file_digest
from pathlib import Path
from stat import S_ISREG
from typing import IO, Any, NamedTuple

import zstandard

from schemas.errors import ConfigError

FORMATS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "ndjson",
    ".parquet": "parquet",
}  # fmt: skip
COMPRESSED = (".gz", ".zst", ".zstd")
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
BUFFER = 1024 * 1024
BROKEN = (OSError, EOFError, zlib.error, zstandard.ZstdError)
"""What reading raises where a file is cut off or damaged."""


class File(NamedTuple):
    """A file that can be imported: `hash` is of its bytes as they lie there."""

    path: Path
    format: str
    size: int
    hash: str


def look(path: Path) -> File:
    """What there is to know of a file; ConfigError where it cannot be read twice, or is of no format that is known."""
    names = [suffix.lower() for suffix in path.suffixes]
    format_ = FORMATS.get(next((name for name in reversed(names) if name not in COMPRESSED), ""), "")
    if not format_:
        hint = "its name must end with .csv, .tsv, .ndjson, .jsonl or .parquet, the first ones also with .gz or .zst"
        raise ConfigError("which format is this?", str(path), hint)
    try:
        if not S_ISREG(path.stat().st_mode):  # a pipe would be waited for, and is gone once it was read
            raise ConfigError(
                "this is no regular file", str(path), "write what it says to a file, and import that"
            )
        with path.open("rb") as file:
            return File(path, format_, path.stat().st_size, file_digest(file, _digest).hexdigest())
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", str(path)) from None


def _digest() -> Any:
    return blake2b(digest_size=16)


@contextmanager
def opened(file: File) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """The plain bytes of a file, and the file itself, whose place says how far it is read."""
    with file.path.open("rb", buffering=BUFFER) as raw:
        start = raw.read(4)
        raw.seek(0)
        if start.startswith(GZIP):
            with gzip.GzipFile(fileobj=raw) as plain:
                yield plain, raw  # type: ignore[misc]  # it reads as any file does
        elif start == ZSTD:
            with zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as stream:
                yield stream, raw
        else:
            yield raw, raw
