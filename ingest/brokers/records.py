"""A record of somebody else's Kafka as a row. Pure.

Beside the fields of its value: `$topic`, `$partition`, `$offset`, `$timestamp` (Unix ms), `$key` and `$headers`.
"""

from typing import Any

from ingest.brokers.rows import Given, Row, columns, short
from ingest.refusal import malformed


def given(name: str, record: Any) -> Given:
    """A record (of kafka-python), told from all others by where it stands."""
    value: bytes | None = record.value
    place = f"{record.topic}/{record.partition}/{record.offset}"

    def row() -> Row:
        if value is None:
            raise malformed("a record without a value: a deletion")
        row: Row = {
            **columns(value, text=False),
            "$topic": record.topic,
            "$partition": record.partition,
            "$offset": record.offset,
            "$timestamp": record.timestamp,
        }
        if record.key is not None:
            row["$key"] = _text(record.key)
        if record.headers:
            row["$headers"] = {header: _text(told) for header, told in record.headers if told is not None}
        return row

    return Given(value or b"", row, lambda _: short(f"{name}/{place}"))


def _text(told: bytes) -> str:
    return told.decode("utf-8", "replace")
