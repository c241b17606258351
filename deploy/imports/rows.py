"""Files as loads of rows, in their order: small enough to be held, and to be handed to another process.

What is no row (a quote that never ends, bytes that are no text, a line with too many fields) is told as that line, and
what comes after it is read.
"""

import csv
from collections.abc import Iterator
from typing import IO

from deploy.imports.files import File, opened
from deploy.imports.lines import MAX_LINE, Again, Line, lines
from deploy.imports.load import LOAD_BYTES, LOAD_ROWS, Broken, Load
from schemas.errors import ConfigError
from schemas.mapping import Csv
from schemas.rejected import Reason

MAX_LINES = 100
"""Of one row of CSV: a quote that is never closed must not take the file with it."""
BOM = b"\xef\xbb\xbf"


def loads(file: File, written: Csv) -> Iterator[Load]:
    """The rows of a file; ConfigError where its header cannot be used."""
    if file.format == "parquet":
        from deploy.imports.parquet import batches  # noqa: PLC0415 - a tenth of a second, only where it is needed

        yield from batches(file)
        return
    with opened(file) as (plain, raw):
        source = _without_mark(lines(plain))
        if file.format == "csv":
            yield from _csv(file, source, written, raw)
        else:
            yield from _ndjson(source, raw)


def header(file: File, written: Csv) -> tuple[str, ...] | None:
    """The columns that each row of a file has; None of NDJSON, whose rows have what they have."""
    if file.format == "parquet":
        from deploy.imports.parquet import names  # noqa: PLC0415

        return names(file)
    if file.format != "csv":
        return None
    with opened(file) as (plain, _):
        return _names(file, _without_mark(lines(plain)), written)


def _without_mark(source: Iterator[Line]) -> Iterator[Line]:
    for line in source:
        yield line._replace(text=line.text.removeprefix(BOM)) if line.number == 1 else line


def _ndjson(source: Iterator[Line], raw: IO[bytes]) -> Iterator[Load]:
    numbers, rows, broken, size, end = list[int](), list[bytes](), list[Broken](), 0, 0
    for line in source:
        if not line.text.strip():
            continue
        end += 1
        if line.whole:
            numbers.append(line.number)
            rows.append(line.text)
        else:
            broken.append(_too_long(line))
        size += len(line.text)
        if len(numbers) + len(broken) >= LOAD_ROWS or size >= LOAD_BYTES:
            yield Load(None, numbers, rows, broken, end, raw.tell())
            numbers, rows, broken, size = [], [], [], 0
    if numbers or broken:
        yield Load(None, numbers, rows, broken, end, raw.tell())


def _csv(file: File, source: Iterator[Line], written: Csv, raw: IO[bytes]) -> Iterator[Load]:
    names = _names(file, source, written)
    numbers, rows, broken, size, end = list[int](), list[list[str]](), list[Broken](), 0, 0
    for number, row, length in _records(Again(source), written, _delimiter(file, written)):
        if isinstance(row, list) and len(row) == len(names):
            numbers.append(number)
            rows.append(row)
        elif isinstance(row, list):
            what = f"{len(row)} fields where there should be {len(names)}"
            broken.append(Broken(number, Reason.MALFORMED, what, _again(row, written)))
        else:
            broken.append(row)
        end, size = end + 1, size + length
        if len(numbers) + len(broken) >= LOAD_ROWS or size >= LOAD_BYTES:
            yield Load(names, numbers, rows, broken, end, raw.tell())
            numbers, rows, broken, size = [], [], [], 0
    if numbers or broken:
        yield Load(names, numbers, rows, broken, end, raw.tell())


class _Texts:
    """The lines that a csv reader asks for, and those that it has had for the row that it is at."""

    def __init__(self, source: Again, encoding: str) -> None:
        self.source, self._encoding = source, encoding
        self.had: list[Line] = []
        self.length = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.had) >= MAX_LINES:
            raise csv.Error(f"a row of more than {MAX_LINES} lines: a quote that is not closed?")
        line = next(self.source)
        self.had.append(line)
        self.length += len(line.text)
        if not line.whole:
            raise csv.Error(f"longer than {MAX_LINE} bytes")
        if self.length > MAX_LINE:
            raise csv.Error(f"a row of more than {MAX_LINE} bytes: a quote that is not closed?")
        return line.text.decode(self._encoding) + "\n"


def _records(source: Again, written: Csv, delimiter: str) -> Iterator[tuple[int, list[str] | Broken, int]]:
    """Each row with the number of its first line and its bytes."""
    csv.field_size_limit(MAX_LINE)
    texts = _Texts(source, written.encoding)
    reader = csv.reader(texts, delimiter=delimiter, quotechar=written.quote, strict=True)
    while True:
        texts.had, texts.length = [], 0
        try:
            row = next(reader)
        except StopIteration:
            return
        except (csv.Error, UnicodeDecodeError) as error:
            if not texts.had:
                raise
            first, *others = texts.had
            yield first.number, _broken(first, error), len(first.text)
            source.give_back(others)
            reader = csv.reader(texts, delimiter=delimiter, quotechar=written.quote, strict=True)
            continue
        if row:
            yield texts.had[0].number, row, texts.length


def _broken(line: Line, error: Exception) -> Broken:
    if not line.whole:
        return _too_long(line)
    if isinstance(error, UnicodeDecodeError):
        return Broken(
            line.number, Reason.MALFORMED, f"not {error.encoding} at byte {error.start + 1}", line.text
        )
    return Broken(line.number, Reason.MALFORMED, f"not CSV: {error}", line.text)


def _too_long(line: Line) -> Broken:
    return Broken(
        line.number, Reason.TOO_LARGE, f"a line may have {MAX_LINE} bytes; its start is kept", line.text
    )


def _again(row: list[str], written: Csv) -> bytes:
    return written.delimiter.join(row).encode("utf-8", "replace")[:MAX_LINE]


def _delimiter(file: File, written: Csv) -> str:
    is_tsv = ".tsv" in [suffix.lower() for suffix in file.path.suffixes]
    return "\t" if is_tsv and "delimiter" not in written.model_fields_set else written.delimiter


def _names(file: File, source: Iterator[Line], written: Csv) -> tuple[str, ...]:
    """The names of the columns: the mapping's, or those of the first line, which is read."""
    if written.columns is not None:
        return written.columns
    found = next(_records(Again(source), written, _delimiter(file, written)), None)
    if found is None or isinstance(found[1], Broken):
        what = "the file is empty" if found is None else f"the header cannot be read: {found[1].detail}"  # type: ignore[union-attr]
        raise ConfigError(
            what, str(file.path), "csv.encoding, csv.delimiter and csv.columns say how it is written"
        )
    names = tuple(name.strip() for name in found[1])
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        what = f"columns of the same name: {', '.join(twice)[:200]}"
        raise ConfigError(what, str(file.path), "csv.columns gives them names of your own")
    return names
