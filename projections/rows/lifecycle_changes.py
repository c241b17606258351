"""`cdp.lifecycle-changes.v1` -> lifecycle_changes_raw."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from projections.rows.changes import rows_of
from projections.table import (
    KAFKA,
    Column,
    Made,
    Record,
    Table,
    instant,
    list_of,
    map_of,
    text,
    uuid,
    whole,
)
from schemas.changes import LifecycleChange

LIFECYCLE_CHANGES = Table(
    "lifecycle_changes_raw",
    (
        Column("id", uuid),
        Column("customer_id", uuid),
        Column("lifecycle", text),
        Column("from_stage", text),
        Column("to_stage", text),
        Column("effective_at", instant),
        Column("caused_at", instant),
        Column("cause", text),
        Column("sequence", whole(0, 2**32 - 1)),
        Column("identifiers", map_of(text, list_of(text))),
        *KAFKA,
    ),
)


def rows(records: Sequence[Record]) -> Made:
    """Changes as columns of LIFECYCLE_CHANGES; no stage before the first is an empty `from_stage`."""
    return rows_of(LIFECYCLE_CHANGES, records, _row)


def _row(record: Record) -> tuple[Any, ...]:
    change = LifecycleChange.model_validate_json(record.value or b"")
    return (
        UUID(change.id),
        UUID(change.customer_id),
        change.lifecycle,
        change.from_ or "",
        change.to,
        change.effective_at,
        change.caused_at,
        change.cause,
        change.sequence,
        change.identifiers,
        record.topic,
        record.partition,
        record.offset,
    )
