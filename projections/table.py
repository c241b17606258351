"""What a projection declares: its tables, their columns, and the shape of what `rows` gives."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from schemas.topics import Topic

Values = Sequence[Any]
"""A column's; those that are sent are tuples, which nothing changes on the way: they may be sent again."""
Check = Callable[[Values], bool]
_AMOUNT = re.compile(r"-?[0-9]{1,29}(\.[0-9]{1,9})?")


class Record(Protocol):
    """What is read of a Kafka record; kafka-python's ConsumerRecord is one."""

    @property
    def topic(self) -> str: ...  # noqa: D102
    @property
    def partition(self) -> int: ...  # noqa: D102
    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def timestamp(self) -> int: ...  # noqa: D102
    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...  # noqa: D102


class Column(NamedTuple):
    """A column that a projection writes, and whether values can be sent as it.

    The check runs on whole columns before a byte is sent: an insert that fails half-way over the native
    protocol costs a connection, and the embedded ClickHouse its process.
    """

    name: str
    check: Check


@dataclass(frozen=True, slots=True)
class Table:
    """A table that a projection writes."""

    name: str
    columns: tuple[Column, ...]

    def fits(self, columns: Sequence[Values]) -> bool:
        """Whether every value of these columns is of its column's type."""
        return all(column.check(values) for column, values in zip(self.columns, columns, strict=True))


class Unreadable(NamedTuple):
    """A record that is no row, and why."""

    record: Record
    detail: str


@dataclass(slots=True)
class Made:
    """What records became: columns by table name (only tables with rows), and what could not be read."""

    columns: dict[str, list[Values]] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Projection:
    """One topic into its tables. `rows` is pure; `newest_only`: a later record of a key replaces an earlier."""

    name: str
    topic: Topic
    tables: tuple[Table, ...]
    rows: Callable[[Sequence[Record]], Made]
    newest_only: bool = False


def text(values: Values) -> bool:
    """Strings."""
    return set(map(type, values)) <= {str}


def raw(values: Values) -> bool:
    """Bytes or strings, sent as they are."""
    return set(map(type, values)) <= {bytes, str}


def whole(low: int, high: int) -> Check:
    """Integers from `low` to `high`."""

    def check(values: Values) -> bool:
        if not set(map(type, values)) <= {int}:
            return False
        return not values or (min(values) >= low and max(values) <= high)

    return check


def optional(check: Check) -> Check:
    """Values or None."""
    return lambda values: check([value for value in values if value is not None])


def uuid(values: Values) -> bool:
    """UUIDs."""
    return set(map(type, values)) <= {UUID}


def amount(values: Values) -> bool:
    """Decimal strings that fit Decimal(38, 9)."""
    return text(values) and all(map(_AMOUNT.fullmatch, values))


def list_of(check: Check) -> Check:
    """Lists of values."""
    return lambda values: set(map(type, values)) <= {list} and check(tuple(chain.from_iterable(values)))


def tuple_of(*checks: Check) -> Check:
    """Tuples, with a check for each place."""

    def check_all(values: Values) -> bool:
        if not set(map(type, values)) <= {tuple} or not set(map(len, values)) <= {len(checks)}:
            return False
        return all(check(place) for check, place in zip(checks, zip(*values, strict=True), strict=False))

    return check_all


def map_of(keys: Check, check: Check) -> Check:
    """Dicts by keys."""

    def check_both(values: Values) -> bool:
        return (
            set(map(type, values)) <= {dict}
            and keys(tuple(chain.from_iterable(values)))
            and check(tuple(chain.from_iterable(map(dict.values, values))))
        )

    return check_both


small = whole(0, 2**8 - 1)
count = whole(0, 2**64 - 1)
partition = whole(0, 2**32 - 1)
instant = whole(-(2**63), 2**63 - 1)
KAFKA = (Column("kafka_topic", text), Column("kafka_partition", partition), Column("kafka_offset", count))
"""Where a row came from; the last columns of every table."""
