"""Parquet files as loads of rows; `pyarrow` reads them in batches."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from deploy.imports.files import File
from deploy.imports.rows import LOAD_ROWS, Load
from schemas.errors import ConfigError


def names(file: File) -> tuple[str, ...]:
    """The columns of a file."""
    with _told(file), pq.ParquetFile(file.path) as parquet:
        return tuple(parquet.schema_arrow.names)


def count(file: File) -> int:
    """The rows of a file."""
    with _told(file), pq.ParquetFile(file.path) as parquet:
        return int(parquet.metadata.num_rows)


def batches(file: File) -> Iterator[Load]:
    """The rows of a file; ConfigError where it is damaged."""
    end = 0
    with _told(file), pq.ParquetFile(file.path, buffer_size=1024 * 1024) as parquet:
        for batch in parquet.iter_batches(batch_size=LOAD_ROWS, use_threads=False):
            numbers = list(range(end + 1, end + 1 + batch.num_rows))
            end += batch.num_rows
            yield Load(None, numbers, batch, [], end, end)


@contextmanager
def _told(file: File) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise ConfigError(
            f"not a Parquet file that can be read: {str(error)[:200]}", str(file.path)
        ) from None
