"""What a batch of records becomes: pure."""

from collections.abc import Sequence

from projections.table import Made, Projection, Record, Unreadable


def make(projection: Projection, records: Sequence[Record]) -> Made:
    """The rows of a batch, of which every value fits its column.

    Where a value does not, its record alone is taken out: the columns of one record at a time tell which.
    """
    if projection.newest_only:
        records = newest(records)
    made = projection.rows(records)
    if _fits(projection, made):
        return made
    good, bad = [], list(made.unreadable)
    for record in records:
        alone = projection.rows((record,))
        if _fits(projection, alone):
            good.append(record)
        else:
            bad.append(Unreadable(record, "a value of another type than its column's"))
    made = projection.rows(good)
    return Made(made.columns, bad)


def newest(records: Sequence[Record]) -> list[Record]:
    """The last record of each key, in their order; records of a partition come in order of their offsets."""
    return list({(record.partition, record.key): record for record in records}.values())


def _fits(projection: Projection, made: Made) -> bool:
    return all(
        table.fits(made.columns[table.name]) for table in projection.tables if table.name in made.columns
    )
