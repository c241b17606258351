"""Loads of rows to records for the log: what a process of its own does, one load after the other."""

import gc
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from deploy.imports.desk import Terms, opened
from deploy.imports.load import Broken, Load
from ingest.accept import Accepted, accept
from ingest.bodies import MAX_EVENT, original, parse
from ingest.canonical import Arrival, Desk
from ingest.mapping import Mapped, compiled, content_id
from ingest.refusal import Refusal, malformed
from schemas.imports import id_of
from schemas.mapping import Mapping
from schemas.rejected import Reason

Row = dict[str, Any]
TOGETHER = 500
"""Rows that are accepted at once, and one by one only where one of them is refused."""
GARBAGE = 100_000
"""Rows leave no cycles; collecting every 700 objects costs a fifth."""


class Records(NamedTuple):
    """Events for the log, a list for each of what they have: another process gets these far quicker than objects.

    `ids` are eight bytes each. `by_content`: its messageId where that is made of all that its row says, else empty.
    """

    numbers: list[int]
    partitions: list[int]
    keys: list[bytes]
    values: list[bytes]
    headers: list[bytes]
    ids: list[bytes]
    by_content: list[str]


class Prepared(NamedTuple):
    """What becomes of a load, `at` an instant (Unix ms).

    `contents`: of every row its number and the id of its content, where the mapping needs them.
    """

    load: Load
    at: int
    records: Records
    rejected: list[Broken]
    skipped: int
    contents: list[tuple[int, bytes]]


class Preparer:
    """A mapping and a desk, ready."""

    def __init__(self, mapping: Mapping, terms: Terms, timezone: str) -> None:
        self.name = mapping.name
        self.mapped: Mapped = compiled(mapping, timezone)
        self.desk: Desk = opened(terms)
        self.by_content = any(event.message_id is None for event in mapping.events)

    def prepare(self, load: Load, skim: bool) -> Prepared:
        """Map and accept each row; `skim`: only find what later rows must know of these."""
        now = time.time_ns() // 1_000_000
        rejected, numbers, messages, skipped = list(load.broken), list[int](), list[Row](), 0
        contents, of_content = list[tuple[int, bytes]](), set[int]()
        for number, row in rows(load, rejected):
            content = content_id(self.name, row) if self.by_content else ""
            if content:
                contents.append((number, id_of(content)))
            if skim:
                continue
            try:
                message = self.mapped(row)
            except Refusal as refusal:
                rejected.append(Broken(number, refusal.reason, refusal.detail, original(row)))
                continue
            if message is None:
                skipped += 1
                continue
            if "messageId" not in message:
                message["messageId"] = content
                of_content.add(number)
            numbers.append(number)
            messages.append(message)
        records = self._accepted(numbers, messages, of_content, now, rejected)
        rejected.sort(key=lambda broken: broken.number)
        emptied = load._replace(rows=None, numbers=[], broken=[])
        return Prepared(emptied, now, records, rejected, skipped, contents)

    def _accepted(
        self, numbers: list[int], messages: list[Row], of_content: set[int], now: int, rejected: list[Broken]
    ) -> Records:
        arrival, records = Arrival(now, "import"), Records([], [], [], [], [], [], [])
        for start in range(0, len(messages), TOGETHER):
            some = slice(start, start + TOGETHER)
            found = accept(messages[some], self.desk, arrival)
            if not found.refused:
                _add(records, found, numbers[some], messages[some], of_content)
                continue
            for number, message in zip(
                numbers[some], messages[some], strict=True
            ):  # which of them is refused?
                one = accept([message], self.desk, arrival)
                _add(records, one, [number], [message], of_content)
                for rejection, _ in one.refused:
                    kept = message["context"].get("original")
                    said = rejection.original if kept is None else original(kept)
                    rejected.append(Broken(number, rejection.reason, rejection.detail, said))
        return records


def _add(
    records: Records, found: Accepted, numbers: list[int], messages: list[Row], of_content: set[int]
) -> None:
    for (identity, value), number, message in zip(found.events, numbers, messages, strict=False):
        id_, (header,) = message["messageId"], identity.headers
        records.numbers.append(number)
        records.partitions.append(identity.partition)
        records.keys.append(identity.key)
        records.values.append(value)
        records.headers.append(header[1])
        records.ids.append(id_of(id_))
        records.by_content.append(id_ if number in of_content else "")


def rows(load: Load, rejected: list[Broken]) -> Iterator[tuple[int, Row]]:
    """Each row of a load as a mapping, with its number; what is none is told as rejected."""
    if load.names is not None:
        for number, values in zip(load.numbers, load.rows, strict=True):
            yield number, dict(zip(load.names, values, strict=True))
    elif isinstance(load.rows, list):
        for number, line in zip(load.numbers, load.rows, strict=True):
            try:
                row = parse(line)
                if not isinstance(row, dict):
                    raise malformed("not a JSON object")
            except Refusal as refusal:
                rejected.append(Broken(number, Reason.MALFORMED, refusal.detail, line[:MAX_EVENT]))
            else:
                yield number, row
    else:
        yield from zip(load.numbers, load.rows.to_pylist(), strict=True)


_preparer: Preparer


def begin(mapping: Mapping, terms: Terms, timezone: str) -> None:
    """Make this process ready; it ends with the one that started it, however that ends."""
    gc.set_threshold(GARBAGE)
    global _preparer  # noqa: PLW0603 - a process of a pool has no other place
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _preparer = Preparer(mapping, terms, timezone)
    gc.freeze()


def prepare(load: Load, skim: bool) -> Prepared:
    """`Preparer.prepare` in a process that is ready."""
    return _preparer.prepare(load, skim)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
