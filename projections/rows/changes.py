"""What the topics of changes have in common: a record is a change, or cannot be read."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

from projections.table import Made, Record, Table, Unreadable


def rows_of(table: Table, records: Sequence[Record], row: Callable[[Record], tuple[Any, ...]]) -> Made:
    """Changes as columns of their table; `row` raises ValueError where a record is none."""
    made = Made()
    found: list[tuple[Any, ...]] = []
    for record in records:
        try:
            found.append(row(record))
        except ValidationError as error:
            made.unreadable.append(
                Unreadable(record, f"{error.error_count()} faults: {error.errors()[0]['msg']}")
            )
        except ValueError as error:  # no UUID
            made.unreadable.append(Unreadable(record, str(error)))
    if found:
        made.columns[table.name] = list(zip(*found, strict=True))
    return made
