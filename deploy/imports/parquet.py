"""Parquet files as loads of rows; `pyarrow` reads them in batches."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from deploy.imports.files import File
from deploy.imports.load import LOAD_BYTES, LOAD_ROWS, Load
from schemas.errors import ConfigError


def names(file: File) -> tuple[str, ...]:
    """The columns of a file."""
    with _told(file), pq.ParquetFile(file.path) as parquet:
        return tuple(parquet.schema_arrow.names)


def batches(file: File) -> Iterator[Load]:
    """The rows of a file; ConfigError where it is damaged."""
    end = 0
    with _told(file), pq.ParquetFile(file.path, buffer_size=1024 * 1024) as parquet:
        for batch in parquet.iter_batches(batch_size=_rows(parquet), use_threads=False):
            numbers = list(range(end + 1, end + 1 + batch.num_rows))
            end += batch.num_rows
            yield Load(None, numbers, batch, [], end, file.size * end // parquet.metadata.num_rows)


def _rows(parquet: pq.ParquetFile) -> int:
    """Rows of a batch: as many as fit into a load, by what a row has on average."""
    groups = [parquet.metadata.row_group(number) for number in range(parquet.metadata.num_row_groups)]
    size = sum(int(group.total_byte_size) for group in groups) // max(int(parquet.metadata.num_rows), 1)
    return max(1, min(LOAD_ROWS, LOAD_BYTES // max(size, 1)))


@contextmanager
def _told(file: File) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise ConfigError(
            f"not a Parquet file that can be read: {str(error)[:200]}", str(file.path)
        ) from None
