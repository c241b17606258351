"""One file into the log: what each load becomes is prepared by other processes, and written here in order.

What is done with stands in the log with the events themselves. So a kill leaves a load whole or not at all, and the
next run goes on after the last one; and a row that any import of this source wrote, by its messageId, is not written
again.
"""

import asyncio
import base64
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor
from typing import Any

from deploy.imports.files import BROKEN, File
from deploy.imports.ids import Occurrences
from deploy.imports.ledger import Ledger
from deploy.imports.prepare import Prepared, Records, prepare
from deploy.imports.report import Report
from deploy.imports.rows import loads
from deploy.imports.shown import Tell
from deploy.imports.writer import Out, Writer
from schemas.errors import ConfigError
from schemas.imports import ImportedFile, ImportedRows, file_key, id_of, rows_key
from schemas.mapping import Mapping
from schemas.settings import Settings
from schemas.topics import EVENTS, IMPORTS

NONE = Records([], [], [], [], [], [], [])


class Importer:
    """Imports files of one source with one mapping; `run` is the name of this run, which no other has."""

    def __init__(
        self,
        settings: Settings,
        source: str,
        ledger: Ledger,
        writer: Writer,
        pool: Executor,
        ahead: int,
        run: str,
    ) -> None:
        self._source, self._ledger, self._writer, self._run = source, ledger, writer, run
        self._pool, self._ahead, self._number = pool, ahead, 0
        self._events, self._imports = (topic.name(settings.namespace) for topic in (EVENTS, IMPORTS))

    async def take(
        self, file: File, mapping: Mapping, begun: ImportedFile, report: Report, tell: Tell
    ) -> ImportedFile:
        """Import a file from where it is; gives what became of all its rows."""
        done, occurrences = begun, Occurrences()
        committing: asyncio.Task[None] | None = None
        try:
            async for prepared in self._prepared(file, mapping, begun.rows):
                fresh = self._fresh(prepared, occurrences)
                if prepared.load.end <= begun.rows:
                    continue
                report.write(prepared.rejected)
                done = _counted(done, prepared, len(fresh))
                if committing is not None:
                    await committing
                outs = self._outs(file, done, prepared.at, prepared.records, fresh)
                committing = asyncio.create_task(self._writer.write(outs))
                tell(done, prepared.load.read / max(file.size, 1))
        finally:
            if committing is not None:
                await committing
        done = done.model_copy(update={"done": True, "at": _now()})
        await self._writer.write(self._outs(file, done, done.at, NONE, []))
        return done

    async def _prepared(self, file: File, mapping: Mapping, after: int) -> AsyncIterator[Prepared]:
        """The loads of a file, prepared, in order; of those that are done with only what others must know of them."""
        by_content = any(event.message_id is None for event in mapping.events)
        loop, waiting = asyncio.get_running_loop(), deque[asyncio.Future[Prepared]]()
        end = 0
        try:
            for load in loads(file, mapping.csv):
                end, skim = load.end, load.end <= after
                if not skim or by_content:
                    waiting.append(loop.run_in_executor(self._pool, prepare, load, skim))
                if len(waiting) >= self._ahead:
                    yield await waiting.popleft()
        except BROKEN as error:
            while waiting:
                yield await waiting.popleft()
            hint = "what is before it is imported; import a whole file: rows that are there are not imported twice"
            raise ConfigError(
                f"cut off or damaged after row {end:,}: {error}", str(file.path), hint
            ) from None
        while waiting:
            yield await waiting.popleft()

    def _fresh(self, prepared: Prepared, occurrences: Occurrences) -> list[int]:
        """The places of the records that no import wrote before; equal rows are told apart by their order."""
        counted = occurrences.count([content for _, content in prepared.contents])
        more = {number: n for (number, _), n in zip(prepared.contents, counted, strict=True) if n}
        records = prepared.records
        for place in range(len(records.numbers)) if more else ():
            if records.by_content[place] and (count := more.get(records.numbers[place])):
                _again(records, place, count)
        seen = self._ledger.ids.add(records.ids)
        return [place for place, known in enumerate(seen) if not known]

    def _outs(
        self, file: File, done: ImportedFile, at: int, records: Records, fresh: list[int]
    ) -> Iterator[Out]:
        _, partitions, keys, values, headers, ids, _ = records
        for place in fresh:
            linked = [("keys", headers[place])]
            yield Out(self._events, partitions[place], keys[place], values[place], linked, at)
        if fresh:
            packed = base64.b64encode(b"".join(ids[place] for place in fresh)).decode()
            key = rows_key(self._source, self._run, self._number).encode()
            yield Out(self._imports, 0, key, ImportedRows(v=1, ids=packed).model_dump_json().encode(), [], at)
            self._number += 1
        key = file_key(self._source, file.hash).encode()
        yield Out(self._imports, 0, key, done.model_dump_json().encode(), [], at)


def begun(file: File, mapping_digest: str, before: ImportedFile | None) -> ImportedFile:
    """Where an import of a file begins: where it was, if it was of this mapping and is not over."""
    if before is not None and before.mapping == mapping_digest and not before.done:
        return before
    nothing: dict[str, Any] = {"rows": 0, "events": 0, "known": 0, "skipped": 0, "rejected": {}}
    return ImportedFile(
        v=1, name=file.path.name[:255], mapping=mapping_digest, done=False, at=_now(), **nothing
    )


def _counted(done: ImportedFile, prepared: Prepared, fresh: int) -> ImportedFile:
    rejected = Counter(done.rejected) + Counter(broken.reason.value for broken in prepared.rejected)
    return done.model_copy(
        update={
            "rows": prepared.load.end,
            "events": done.events + fresh,
            "known": done.known + len(prepared.records.ids) - fresh,
            "skipped": done.skipped + prepared.skipped,
            "rejected": dict(rejected),
            "at": prepared.at,
        }
    )


def _again(records: Records, place: int, count: int) -> None:
    """Have the event of an equal row a messageId of its own."""
    message_id = f"{records.by_content[place]}/{count + 1}"
    # Only texts that senders wrote stand before it, in which quotes are escaped.
    old, new = (f'"message_id":"{each}"'.encode() for each in (records.by_content[place], message_id))
    records.values[place] = records.values[place].replace(old, new, 1)
    records.ids[place] = id_of(message_id)


def _now() -> int:
    return time.time_ns() // 1_000_000
