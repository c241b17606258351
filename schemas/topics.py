"""Every topic: its name, key, partitions and how long it keeps what.

Partition p of `events`, `commands`, `state` and the change topics belongs to the same identifiers. Producers
of events and commands choose it by Kafka's murmur2 of the record key (`partition_of`); the worker writes
everything else to the partition that it owns.
"""

import struct
from dataclasses import dataclass, field
from functools import lru_cache

_M = 0x5BD1E995
_MASK = 0xFFFFFFFF
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `partitions` is None where the deployment's count holds; `config` is Kafka's."""

    noun: str
    key: str
    keeps: str
    partitions: int | None
    config: dict[str, str] = field(hash=False)

    def name(self, namespace: str = "cdp") -> str:
        """The topic's full name, `cdp.events.v1`; tests run under namespaces of their own."""
        return f"{namespace}.{self.noun}.v1"


_FOREVER = {"cleanup.policy": "delete", "retention.ms": "-1", "max.message.bytes": "1048576"}
_COMPACTED = {
    "cleanup.policy": "compact",
    "delete.retention.ms": str(7 * DAY_MS),
    "max.message.bytes": "8388608",
    "min.cleanable.dirty.ratio": "0.3",
    "segment.bytes": str(128 * 1024 * 1024),
}

EVENTS = Topic("events", "primary identifier", "for ever", None, _FOREVER)
COMMANDS = Topic(
    "commands", "addressee identifier", "until consumed", None, {**_FOREVER, "max.message.bytes": "8388608"}
)
STATE = Topic("state", "identifier", "the newest of each key", None, _COMPACTED)
DEFINITIONS = Topic("definitions", "name/version", "every version", 1, _COMPACTED)
SOURCES = Topic("sources", "source/NAME or plan/SOURCE/VERSION", "the newest of each key", 1, _COMPACTED)
USAGE = Topic(
    "usage",
    "day/source/process",
    "the newest of each key, 3 days",
    1,
    {
        **_COMPACTED,
        "cleanup.policy": "compact,delete",
        "retention.ms": str(3 * DAY_MS),
        # Counts are written every second and read whole by each process that starts: little is left uncompacted.
        "segment.bytes": str(8 * 1024 * 1024),
        "segment.ms": str(DAY_MS // 24),
    },
)
IMPORTS = Topic(
    "imports", "file/SOURCE/HASH or rows/SOURCE/RUN/NUMBER", "the newest of each key", 1, _COMPACTED
)
LIFECYCLE_CHANGES = Topic("lifecycle-changes", "customer_id", "for ever", None, _FOREVER)
SEGMENT_CHANGES = Topic("segment-changes", "customer_id", "for ever", None, _FOREVER)
IDENTITY_CHANGES = Topic("identity-changes", "customer_id", "for ever", None, _FOREVER)
REJECTED = Topic(
    "rejected",
    "source",
    "30 days",
    1,
    {**_FOREVER, "retention.ms": str(30 * DAY_MS), "max.message.bytes": "2097152"},
)

TOPICS = (
    EVENTS,
    COMMANDS,
    STATE,
    DEFINITIONS,
    SOURCES,
    USAGE,
    IMPORTS,
    LIFECYCLE_CHANGES,
    SEGMENT_CHANGES,
    IDENTITY_CHANGES,
    REJECTED,
)


def murmur2(data: bytes) -> int:
    """Kafka's murmur2 (org.apache.kafka.common.utils.Utils#murmur2) as an unsigned 32-bit number."""
    length = len(data)
    h = (0x9747B28C ^ length) & _MASK
    whole = length & ~3
    for word in struct.unpack_from(f"<{length // 4}I", data):
        k = word * _M & _MASK
        h = (h * _M ^ (k ^ (k >> 24)) * _M) & _MASK
    if length > whole:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ (h >> 13)) * _M & _MASK
    return h ^ (h >> 15)


@lru_cache(maxsize=65_536)
def partition_of(key: str, partitions: int) -> int:
    """The partition that owns a record key, as every Kafka client's default partitioner has it."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def fold_group(namespace: str) -> str:
    """The consumer group of the workers; its offsets tell the usual tools how far they are."""
    return f"{namespace}-fold"
