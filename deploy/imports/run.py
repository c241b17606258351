"""`cdp import`: files into the log, one after the other."""

import asyncio
import fcntl
import gc
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import uvloop
from rich.console import Console

from deploy.imports import ledger as ledgers
from deploy.imports.desk import Terms
from deploy.imports.files import BROKEN, File, look
from deploy.imports.importing import Importer, begun
from deploy.imports.pool import Pool
from deploy.imports.prepare import GARBAGE, begin
from deploy.imports.report import Report
from deploy.imports.rows import header
from deploy.imports.shown import outcome, telling
from deploy.imports.terms import terms
from deploy.imports.writer import AGAIN, writing
from deploy.init import joined
from schemas.errors import CdpError, ConfigError
from schemas.imports import ImportedFile
from schemas.mapping import Mapping, load, ways
from schemas.settings import Settings

MOST_PROCESSES = 4


def run(settings: Settings, paths: Sequence[Path], mapping_file: Path, source: str | None) -> bool:
    """Import files; False where rows were rejected. CdpError where it cannot go on, and what to do then."""
    mapping = load(mapping_file)
    name = source or mapping.source
    if name is None:
        raise ConfigError(
            "whose events are these?", str(mapping_file), "--source NAME, or source: in the mapping"
        )
    files = [look(path) for path in paths]
    genesis = joined(settings)
    given = terms(settings, name, mapping)
    gc.set_threshold(GARBAGE)
    with _alone(settings, name):
        _check_columns(settings, name, files, mapping, mapping_file)
        try:
            return uvloop.run(_all(settings, files, mapping, given, genesis.timezone))
        except KeyboardInterrupt:
            raise CdpError("interrupted", hint=AGAIN) from None
        except BrokenProcessPool:
            raise CdpError(
                "a process of the import was killed", hint=f"was there memory enough? {AGAIN}"
            ) from None


async def _all(settings: Settings, files: list[File], mapping: Mapping, given: Terms, timezone: str) -> bool:
    source, digest = given.source.name, _digest(mapping)
    processes = min(MOST_PROCESSES, os.cpu_count() or 1)
    console, out = Console(stderr=True), Console(highlight=False, markup=False, soft_wrap=True)
    pool = Pool(processes, begin, mapping, given, timezone)
    try:
        async with writing(settings, source) as writer:
            ledger = await asyncio.to_thread(
                ledgers.read, settings, source
            )  # after the fence: it is complete
            _forget(files, ledger)
            importer = Importer(settings, source, ledger, writer, pool, 2 * processes, uuid.uuid4().hex)
            fine = True
            for file in files:
                done = await _one(importer, file, mapping, begun(file, digest, ledger.files.get(file.hash)),
                                  ledger.files.get(file.hash), console, out)  # fmt: skip
                ledger.files[file.hash] = done
                fine = fine and not done.rejected
            return fine
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


async def _one(
    importer: Importer, file: File, mapping: Mapping, start: ImportedFile, before: ImportedFile | None,
    console: Console, out: Console,
) -> ImportedFile:  # fmt: skip
    if before is not None and before.done and before.mapping == start.mapping and not before.rejected:
        out.print(f"{file.path.name}: imported before, all {before.rows:,} rows; nothing to do")
        return before
    if start.rows:
        console.print(f"{file.path.name}: going on after row {start.rows:,}", highlight=False, markup=False)
    began = time.monotonic()
    with Report(file.path, sum(start.rejected.values())) as report:
        with telling(console, file) as tell:
            done = await importer.take(file, mapping, start, report, tell)
        for line in outcome(file, done, time.monotonic() - began, done.rows - start.rows):
            out.print(line)
        if done.rejected:
            out.print(f"  each with its line and reason: {report.path}")
    return done


def _check_columns(
    settings: Settings, source: str, files: list[File], mapping: Mapping, mapping_file: Path
) -> None:
    """Columns that the mapping reads and a file cannot have are told before any row is read."""
    try:
        for file in files:
            _check_header(file, mapping, mapping_file)
    except ConfigError:
        _forget(files, ledgers.read(settings, source))
        raise


def _check_header(file: File, mapping: Mapping, mapping_file: Path) -> None:
    try:
        names = header(file, mapping.csv)
    except BROKEN as error:
        raise ConfigError(f"cannot be read: {error}", str(file.path)) from None
    missing = {str(way[0]) for way in ways(mapping)} - set(names or ())
    if names is not None and missing:
        what = f"{file.path.name} has no column {', '.join(sorted(missing))[:300]}"
        raise ConfigError(what, str(mapping_file), f"it has {', '.join(names)[:500]}")


def _forget(files: list[File], ledger: ledgers.Ledger) -> None:
    """Remove reports of former runs, except where one was killed: its lines hold when it is gone on with."""
    for file in files:
        before = ledger.files.get(file.hash)
        if before is None or before.done:
            with Report(file.path, 0):
                pass


def _digest(mapping: Mapping) -> str:
    return blake2b(mapping.model_dump_json().encode(), digest_size=16).hexdigest()


@contextmanager
def _alone(settings: Settings, source: str) -> Iterator[None]:
    """The one import of a source on this machine; on others, who begins last takes over (`writer`)."""
    path = settings.home / "imports" / f"{source}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CdpError("an import of this source is running", source, "wait until it has ended") from None
        yield
