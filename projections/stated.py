"""What the events of the log state below some place of it, by primary identifier: what leaves are backfilled from."""

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from clickhouse_driver import Client

from projections.connect import retried
from schemas.settings import Settings
from schemas.topics import EVENTS

PAGE = 50_000
"""Events that are read at once. No query stays open meanwhile: what is done with them may take its time."""
PATIENCE = 60.0
# In the order of the table, so that nothing is sorted. A copy of an event that is not merged yet comes after the first.
_STATED = """\
SELECT key, source, message_id, name, toUnixTimestamp64Milli(occurred_at), properties
FROM events_raw
WHERE kafka_topic = %(topic)s AND name IN %(names)s AND type NOT IN ('link', 'split') AND NOT bot
  AND key >= %(key)s AND (key, source, message_id) > (%(key)s, %(source)s, %(message_id)s)
  AND kafka_offset < %(below)s[kafka_partition + 1]
  AND (kafka_partition, kafka_offset) NOT IN (
      SELECT toUInt32OrZero(splitByChar('/', place)[2]), toUInt64OrZero(splitByChar('/', place)[3])
      FROM rejected_raw WHERE splitByChar('/', place)[1] = %(topic)s)
ORDER BY key, source, message_id, kafka_offset
LIMIT %(page)s
"""
_LAST = "\U0010ffff"
"""Greater than every source: a place after all events of an identifier."""


class Stated(NamedTuple):
    """An event: `occurred_at` in Unix ms, `properties` as JSON."""

    key: str
    source: str
    message_id: str
    name: str
    occurred_at: int
    properties: str


def stated(
    client: Client, settings: Settings, names: Collection[str], below: Sequence[int], after: str
) -> Iterator[Stated]:
    """Events of customers with these names, each once, of primary identifiers greater than `after`, in their order.

    `below`: an offset for each partition; what was rejected is left out. Nothing grows with the log. Unavailable where
    ClickHouse is away for PATIENCE seconds.
    """
    params: dict[str, Any] = {
        "topic": EVENTS.name(settings.namespace), "names": tuple(sorted(names)), "below": list(below), "page": PAGE,
    }  # fmt: skip
    last = (after, _LAST if after else "", "")
    while True:
        place = dict(zip(("key", "source", "message_id"), last, strict=True))
        rows = retried(settings, partial(client.execute, _STATED, params | place), PATIENCE)
        for row in rows:
            if row[:3] != last:
                last = row[:3]
                yield Stated(*row)
        if len(rows) < PAGE:
            return
