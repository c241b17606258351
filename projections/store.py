"""Rows into tables: synchronous columnar inserts, and the groups that remember how far each table is."""

from clickhouse_driver import Client

from projections.rows import rejected
from projections.table import Made, Projection, Table, Values
from schemas.errors import ConfigError

SETTINGS = {"async_insert": 0}


def insert(client: Client, table: Table, columns: list[Values]) -> None:
    """One block of rows, acknowledged when it is stored."""
    names = ", ".join(column.name for column in table.columns)
    client.execute(
        f"INSERT INTO {table.name} ({names}) VALUES",
        columns,
        columnar=True,
        settings=SETTINGS,
    )


def insert_all(client: Client, projection: Projection, made: Made) -> int:
    """Everything that a batch became, what could not be read among it; the number of rows."""
    rows = 0
    for table in projection.tables:
        columns = made.columns.get(table.name)
        if columns:
            insert(client, table, columns)
            rows += len(columns[0])
    if made.unreadable:
        insert(client, rejected.REJECTED, rejected.rows_of(made.unreadable))
    return rows


def group_of(client: Client, projection: Projection, namespace: str) -> str:
    """The consumer group of a projection into the tables that now exist.

    A table's own id is in the name, so tables that were dropped and made anew are filled from the beginning.
    """
    names = sorted(table.name for table in projection.tables)
    found = client.execute(
        "SELECT toString(uuid) FROM system.tables WHERE database = currentDatabase() AND name IN %(names)s "
        "ORDER BY name",
        {"names": names},
    )
    if len(found) < len(names):
        raise ConfigError(f"table {' or '.join(names)} is missing", "ClickHouse", "run `cdp migrate`")
    return ".".join((namespace, "sink", projection.name, *(uuid[:8] for (uuid,) in found)))
