"""`cdp.segment-changes.v1` -> segment_changes_raw."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from projections.rows.changes import rows_of
from projections.table import KAFKA, Column, Made, Record, Table, instant, list_of, map_of, text, uuid, whole
from schemas.changes import SegmentChange

SEGMENT_CHANGES = Table(
    "segment_changes_raw",
    (
        Column("id", uuid),
        Column("change", text),
        Column("customer_id", uuid),
        Column("kind", text),
        Column("name", text),
        Column("value", text),
        Column("definition", text),
        Column("effective_at", instant),
        Column("caused_at", instant),
        Column("cause", text),
        Column("sequence", whole(0, 2**32 - 1)),
        Column("identifiers", map_of(text, list_of(text))),
        *KAFKA,
    ),
)


def rows(records: Sequence[Record]) -> Made:
    """Changes as columns of SEGMENT_CHANGES."""
    return rows_of(SEGMENT_CHANGES, records, _row)


def _row(record: Record) -> tuple[Any, ...]:
    change = SegmentChange.model_validate_json(record.value or b"")
    return (
        UUID(change.id),
        change.change,
        UUID(change.customer_id),
        change.kind,
        change.name,
        change.value,
        change.definition,
        change.effective_at,
        change.caused_at,
        change.cause,
        change.sequence,
        change.identifiers,
        record.topic,
        record.partition,
        record.offset,
    )
