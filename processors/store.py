"""A partition's states on local disk (RocksDB), with a bounded cache over it.

The store is a copy of the changelog `cdp.state.v1`: each write puts states together with the changelog offset that
follows them, so that what is missing can be caught up and a lost disk rebuilt. Written only after the commit returned;
never flushed by hand: what a crash takes from the end is read again from the changelog.

Keys: `s` + identifier -> state; `d` + due_at + identifier -> nothing, the due index; `m` -> `Meta`.
"""

import shutil
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

import orjson
from rocksdict import (
    BlockBasedIndexType,
    BlockBasedOptions,
    Cache,
    Options,
    Rdict,
    WriteBatch,
    WriteBufferManager,
    WriteOptions,
)
from typing_extensions import TypedDict

from schemas.state import POSITION_KEY, Position

_META = b"m"
_FIRST_DUE = 2**63
BLOCKS = Cache(48 * 1024 * 1024)
BUFFERS = WriteBufferManager.new_write_buffer_manager_with_cache(32 * 1024 * 1024, False, BLOCKS)
"""Memory of all stores of the process: blocks that were read, and what waits to be written, within `BLOCKS`."""


class Meta(TypedDict):
    """What the store is a copy of, and how far."""

    deployment: str  # id in genesis
    topic: str
    offset: int  # next offset of the changelog
    written_at: int  # Unix ms of the last write


class Store:
    """The states of one partition. Not safe for threads."""

    def __init__(self, path: Path, cache_bytes: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self._room = path, cache_bytes
        self._cache: OrderedDict[str, bytes] = OrderedDict()
        self._cached = 0
        self._closed = False
        self._db = Rdict(str(path), _options())
        no_wal = WriteOptions()
        no_wal.disable_wal = True  # type: ignore[method-assign, assignment]  # an attribute, whatever its stub says
        self._db.set_write_options(no_wal)
        found = self._db.get(_META)
        self.meta: Meta | None = orjson.loads(found) if found else None

    def read(self, key: str) -> bytes | None:
        """The state of a key."""
        value = self._cache.get(key)
        if value is not None:
            self._cache.move_to_end(key)
            return value
        found: bytes | None = self._db.get(b"s" + key.encode())
        if found is not None:
            self._remember(key, found)
        return found

    def position(self) -> Position | None:
        """The partition's position as last written."""
        found = self._db.get(b"s" + POSITION_KEY.encode())
        return orjson.loads(found) if found else None

    def due(self, until: int, limit: int) -> list[str]:
        """At most `limit` keys that are due by `until`, the earliest first."""
        end = _due_key(until + 1, "")
        return [key[9:].decode() for key in self._keys(b"d", end, limit)]

    def keys(self, after: str, limit: int) -> list[str]:
        """At most `limit` identifiers greater than `after`, in order."""
        start = b"s" + after.encode() + b"\0" if after else b"s"
        found = [key[1:].decode() for key in self._keys(start, b"t", limit + 1)]
        return [key for key in found if key != POSITION_KEY][:limit]

    def write(
        self,
        states: Iterable[tuple[str, bytes]],
        due: Iterable[tuple[str, int | None, int | None]],
        meta: Meta,
    ) -> None:
        """Put states, the changes of the due index (key, before, now) and the offset that follows, as one."""
        batch = WriteBatch(raw_mode=True)
        for key, value in states:
            batch.put(b"s" + key.encode(), value)
            if key != POSITION_KEY:
                self._remember(key, value)
        for key, before, now in due:
            if before != now:
                if before is not None:
                    batch.delete(_due_key(before, key))
                if now is not None:
                    batch.put(_due_key(now, key), b"")
        batch.put(_META, orjson.dumps(meta))
        self._db.write(batch)
        self.meta = meta

    def close(self) -> None:
        """Write everything to disk and let go of it; harmless when that is done."""
        if not self._closed:
            self._closed = True
            self._db.flush()
            self._db.close()

    def _remember(self, key: str, value: bytes) -> None:
        old = self._cache.pop(key, None)
        self._cache[key] = value
        self._cached += len(value) - (len(old) if old is not None else 0)
        while self._cached > self._room:
            self._cached -= len(self._cache.popitem(last=False)[1])

    def _keys(self, start: bytes, end: bytes, limit: int) -> Iterator[bytes]:
        cursor = self._db.iter()
        cursor.seek(start)
        while limit > 0 and cursor.valid():
            key = cast("bytes", cursor.key())
            if key >= end:
                return
            yield key
            limit -= 1
            cursor.next()


def wipe(path: Path) -> None:
    """Forget a store that is a copy of something else."""
    shutil.rmtree(path, ignore_errors=True)


def _due_key(at: int, key: str) -> bytes:
    return b"d" + (at + _FIRST_DUE).to_bytes(8, "big") + key.encode()


def _options() -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(8 * 1024 * 1024)
    options.set_write_buffer_manager(BUFFERS)
    options.set_max_write_buffer_number(2)
    options.set_keep_log_file_num(2)
    options.set_max_open_files(128)
    blocks = BlockBasedOptions()
    blocks.set_block_cache(BLOCKS)
    blocks.set_cache_index_and_filter_blocks(True)
    blocks.set_bloom_filter(10, False)
    # whole, the index of a large file fits no shard of the cache, and every read would read it again
    blocks.set_index_type(BlockBasedIndexType.two_level_index_search())
    blocks.set_partition_filters(True)
    blocks.set_metadata_block_size(4096)
    blocks.set_pin_top_level_index_and_filter(True)
    options.set_block_based_table_factory(blocks)
    return options
