"""`cdp.rejected.v1` -> rejected_raw; and the rows of what a projection itself could not read.

A row's `place` is where the rejected thing stands in the log, or its own place in the rejected topic where it
never entered the log. So a record that both the fold and a projection refuse is one row.
"""

from collections.abc import Sequence
from typing import Any

from projections.table import (
    KAFKA,
    Column,
    Made,
    Record,
    Table,
    Unreadable,
    Values,
    instant,
    raw,
    small,
    text,
)
from schemas.rejected import Reason

REJECTED = Table(
    "rejected_raw",
    (
        Column("place", text),
        Column("source", text),
        Column("reason", text),
        Column("detail", text),
        Column("received_at", instant),
        Column("message_id", text),
        Column("original", raw),
        Column("by_projection", small),
        *KAFKA,
    ),
)


def rows(records: Sequence[Record]) -> Made:
    """Rejected records as columns of REJECTED; what is odd in one is shown, never refused."""
    found = [_row(record) for record in records]
    return Made({REJECTED.name: list(zip(*found, strict=True))}) if found else Made()


def rows_of(unreadable: Sequence[Unreadable]) -> list[Values]:
    """Columns of REJECTED for records that are no rows of their own projection."""
    found = [
        (
            _place(record),
            "",
            Reason.UNREADABLE.value,
            detail.encode("utf-8", "replace").decode(),
            record.timestamp,
            "",
            record.value or b"",
            1,
            record.topic,
            record.partition,
            record.offset,
        )
        for record, detail in unreadable
    ]
    return list(zip(*found, strict=True))


def _place(record: Record) -> str:
    return f"{record.topic}/{record.partition}/{record.offset}"


def _row(record: Record) -> tuple[Any, ...]:
    headers = {name: value.decode("utf-8", "replace") for name, value in record.headers}
    where, received_at = headers.get("where", ""), headers.get("received_at", "")
    return (
        where if where.count("/") == 2 else _place(record),
        (record.key or b"").decode("utf-8", "replace"),
        headers.get("reason", ""),
        headers.get("detail", ""),
        int(received_at) if received_at.isdecimal() and len(received_at) < 16 else record.timestamp,
        headers.get("message_id", ""),
        record.value or b"",
        0,
        record.topic,
        record.partition,
        record.offset,
    )
