"""Catching a store up with its changelog, and deciding when it must be wiped first."""

import time
from pathlib import Path

import orjson
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from processors.store import Meta, Store, wipe
from schemas.clients import within
from schemas.errors import Unavailable
from schemas.state import POSITION_KEY, upcast
from schemas.topics import STATE

log = structlog.get_logger()
MAX_BESIDE = 8
STALLED_S = 30.0
_LOCKED = ("lock hold by current process", "While lock file")
TOMBSTONES_MS = int(STATE.config["delete.retention.ms"])


def why_stale(meta: Meta | None, deployment: str, topic: str, end: int, now: int) -> str | None:
    """Why a store is no copy of this changelog, whose next offset is `end`; None where it may be caught up."""
    if meta is None:
        return None
    if (meta["deployment"], meta["topic"]) != (deployment, topic):
        return "it is a copy of another topic"
    if meta["offset"] > end:
        return f"it is ahead of the topic: {meta['offset']} > {end}"
    if now - meta["written_at"] > TOMBSTONES_MS // 2:
        return "it is older than the topic's tombstones"
    return None


async def open_store(
    path: Path, cache_bytes: int, consumer: AIOKafkaConsumer, partition: TopicPartition, deployment: str
) -> Store:
    """The store of a partition, equal to its changelog. No producer may write to that any more but ours."""
    consumer.assign([partition])
    async with within(STALLED_S):
        end = (await consumer.end_offsets([partition]))[partition]
    store = _local(path, cache_bytes)
    try:
        stale = why_stale(store.meta, deployment, partition.topic, end, _now())
        if stale:
            log.warning("store wiped", partition=partition.partition, because=stale)
            store.close()
            wipe(store.path)
            store = Store(store.path, cache_bytes)
        await _bring_up(store, consumer, partition, end, deployment)
    except BaseException:
        store.close()
        raise
    return store


def _local(path: Path, cache_bytes: int) -> Store:
    """The store at a path; beside it where another worker, which hangs perhaps, still has that open."""
    for number in range(MAX_BESIDE):
        place = path.with_name(f"{path.name}.{number}") if number else path
        try:
            return Store(place, cache_bytes)
        except Exception as error:  # noqa: BLE001 -- rocksdict has one class for all
            if any(words in str(error) for words in _LOCKED):
                continue
            log.warning("store wiped", path=str(place), because=str(error))
            wipe(place)
            return Store(place, cache_bytes)
    raise Unavailable("every local store of this partition is open in other workers", str(path))


async def _bring_up(
    store: Store, consumer: AIOKafkaConsumer, partition: TopicPartition, end: int, deployment: str
) -> None:
    start = store.meta["offset"] if store.meta else 0
    if start < end:
        consumer.seek(partition, start)
        began = time.monotonic()
        count = await _catch_up(store, consumer, partition, end, deployment)
        took = round(time.monotonic() - began, 3)
        log.info("store caught up", partition=partition.partition, records=count, seconds=took)


async def _catch_up(
    store: Store, consumer: AIOKafkaConsumer, partition: TopicPartition, end: int, deployment: str
) -> int:
    """Read to `end` by position, for the last offsets may be control records; TimeoutError where that stands still."""
    count, position = 0, -1
    while position < end:
        async with within(STALLED_S):
            records, position = await _next(consumer, partition, position)
        count += len(records)
        store.write(records.items(), _due_changes(store, records), meta_of(partition, position, deployment))
    return count


async def _next(
    consumer: AIOKafkaConsumer, partition: TopicPartition, position: int
) -> tuple[dict[str, bytes], int]:
    """The next records, if any, and the position after them, which is beyond this one."""
    while True:
        got = await consumer.getmany(partition, timeout_ms=200, max_records=10_000)
        reached = await consumer.position(partition)
        if reached > position:
            return {record.key.decode(): record.value for record in got.get(partition, ())}, reached


def _due_changes(store: Store, records: dict[str, bytes]) -> list[tuple[str, int | None, int | None]]:
    return [
        (key, _due_at(old) if (old := store.read(key)) else None, _due_at(value))
        for key, value in records.items()
        if key != POSITION_KEY
    ]


def _due_at(value: bytes) -> int | None:
    due: int | None = upcast(orjson.loads(value)).get("due_at")
    return due


def meta_of(partition: TopicPartition, offset: int, deployment: str) -> Meta:
    """What a store is a copy of, once it holds everything below `offset`."""
    return {"deployment": deployment, "topic": partition.topic, "offset": offset, "written_at": _now()}


def _now() -> int:
    return int(time.time() * 1000)
