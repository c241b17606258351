"""What a tracking plan is tried on: the events of a source, and what plans rejected of it, streamed."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from clickhouse_driver import Client, errors
from orjson import loads

from projections.connect import LOST, reason, where
from schemas.errors import Unavailable
from schemas.rejected import Reason
from schemas.settings import Settings

BLOCK = 4_096
"""Rows that are in memory at once."""
# By arrival, as a plan came and will come into force; bots' events too, for ingest asks of them as well.
_ACCEPTED = """\
SELECT name, message_id, JSONExtractRaw(context, 'protocols', 'event_version'), properties, traits, identifiers
FROM events_raw FINAL
WHERE source = %(source)s AND type NOT IN ('link', 'split') AND received_at >= fromUnixTimestamp64Milli(%(since)s)
"""
_REJECTED = """\
SELECT original, toUnixTimestamp64Milli(received_at)
FROM rejected_raw FINAL
WHERE source = %(source)s AND reason = %(reason)s AND received_at >= fromUnixTimestamp64Milli(%(since)s)
"""


class Taken(NamedTuple):
    """An event of the log, as far as plans look at it; `version` is what its sender stated, or None."""

    name: str
    message_id: str
    version: Any
    properties: dict[str, Any]
    traits: dict[str, Any]
    identifiers: dict[str, list[str]]


class Rejected(NamedTuple):
    """An event that a plan rejected: its bytes, and when it arrived (Unix ms)."""

    original: bytes
    received_at: int


def taken(client: Client, settings: Settings, source: str, since: int) -> Iterator[Taken]:
    """Each event of a source that arrived since an instant (Unix ms), once; Unavailable where ClickHouse goes away."""
    for name, message_id, version, properties, traits, identifiers in _rows(
        client, settings, _ACCEPTED, source, since
    ):
        stated = loads(version) if version else None
        yield Taken(name, message_id, stated, loads(properties), loads(traits), loads(identifiers))


def rejected(client: Client, settings: Settings, source: str, since: int) -> Iterator[Rejected]:
    """What the plan of a source rejected since an instant (Unix ms)."""
    for original, received_at in _rows(client, settings, _REJECTED, source, since):
        yield Rejected(original.encode() if isinstance(original, str) else original, received_at)


def _rows(client: Client, settings: Settings, sql: str, source: str, since: int) -> Iterator[tuple[Any, ...]]:
    params = {"source": source, "since": since, "reason": Reason.PLAN.value}
    try:
        yield from client.execute_iter(sql, params, settings={"max_block_size": BLOCK})
    except (*LOST, errors.ServerException) as error:
        raise Unavailable(reason(error), where(settings), "is it running? `cdp status`") from None
