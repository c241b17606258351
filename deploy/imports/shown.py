"""How an import is told: a bar on a terminal, a line each ten seconds elsewhere, and what became of each file."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from deploy.imports.files import File
from schemas.imports import ImportedFile

EVERY_S = 10.0


class Tell(Protocol):
    """Hears how far a file is."""

    def __call__(self, done: ImportedFile, share: float, /) -> None:
        """`share`: of the file, 0 to 1."""


@contextmanager
def telling(console: Console, file: File) -> Iterator[Tell]:
    """Show how far a file is, as long as it is imported."""
    if not console.is_terminal:
        yield _lines(console, file)
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[pace]:,.0f}/s"), TimeRemainingColumn(),
    )  # fmt: skip
    began, first = time.monotonic(), -1
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(file.path.name, total=1.0, rows=0, pace=0.0)

        def tell(done: ImportedFile, share: float) -> None:
            nonlocal first
            first = done.rows if first < 0 else first
            pace = (done.rows - first) / (time.monotonic() - began)
            progress.update(bar, completed=share, rows=done.rows, pace=pace)

        yield tell


def _lines(console: Console, file: File) -> Tell:
    last = time.monotonic()

    def tell(done: ImportedFile, share: float) -> None:
        nonlocal last
        if time.monotonic() - last >= EVERY_S:
            last = time.monotonic()
            console.print(f"{file.path.name}: {done.rows:,} rows, {share:.0%}", highlight=False, markup=False)

    return tell


def outcome(file: File, done: ImportedFile, seconds: float, rows: int) -> list[str]:
    """What became of a file, a line each; `rows` were read in these seconds."""
    bad = sum(done.rejected.values())
    parts = [f"{done.events:,} events"]
    parts += [f"{done.known:,} in the log before"] if done.known else []
    parts += [f"{done.skipped:,} left out by the mapping"] if done.skipped else []
    parts += [f"{bad:,} rejected"] if bad else []
    pace = f" ({rows / seconds:,.0f} rows/s)" if seconds > 0 and rows else ""
    reasons = [f"  {reason}: {count:,}" for reason, count in sorted(done.rejected.items())]
    return [f"{file.path.name}: {done.rows:,} rows: {', '.join(parts)}{pace}", *reasons]
