"""`cdp.identity-changes.v1` -> identity_changes_raw."""

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
    optional,
    text,
    uuid,
)
from schemas.changes import IdentityChange

IDENTITY_CHANGES = Table(
    "identity_changes_raw",
    (
        Column("id", uuid),
        Column("change", text),
        Column("customer_id", uuid),
        Column("other_id", optional(uuid)),
        Column("through", list_of(text)),
        Column("reason", text),
        Column("effective_at", instant),
        Column("stated_at", instant),
        Column("cause", text),
        *KAFKA,
    ),
)


def rows(records: Sequence[Record]) -> Made:
    """Changes as columns of IDENTITY_CHANGES."""
    return rows_of(IDENTITY_CHANGES, records, _row)


def _row(record: Record) -> tuple[Any, ...]:
    change = IdentityChange.model_validate_json(record.value or b"")
    return (
        UUID(change.id),
        change.change,
        UUID(change.customer_id),
        None if change.other_id is None else UUID(change.other_id),
        change.through,
        change.reason,
        change.effective_at,
        change.stated_at,
        change.cause,
        record.topic,
        record.partition,
        record.offset,
    )
