"""What the events of the log state below some place of it, by primary identifier: what leaves are backfilled from."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from clickhouse_driver import Client

from schemas.settings import Settings
from schemas.topics import EVENTS

BLOCK = 20_000
_OF_CUSTOMERS = """\
FROM events_raw
WHERE kafka_topic = %(topic)s AND key > %(after)s AND name IN %(names)s AND type NOT IN ('link', 'split')
  AND kafka_offset < %(below)s[kafka_partition + 1]
  AND (kafka_partition, kafka_offset) NOT IN (
      SELECT toUInt32OrZero(splitByChar('/', place)[2]), toUInt64OrZero(splitByChar('/', place)[3])
      FROM rejected_raw WHERE splitByChar('/', place)[1] = %(topic)s)
"""
# In the order of the table, so that nothing is sorted. A copy of an event that is not merged yet comes after the first.
_STATED = f"""\
SELECT key, source, message_id, name, toUnixTimestamp64Milli(occurred_at), properties
{_OF_CUSTOMERS}
ORDER BY key, source, message_id, kafka_offset
"""


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

    `below`: an offset for each partition; what was rejected is left out. It streams: nothing grows with the log.
    """
    params = {
        "topic": EVENTS.name(settings.namespace), "after": after, "names": tuple(sorted(names)), "below": list(below),
    }  # fmt: skip
    last = ("", "", "")
    for row in client.execute_iter(_STATED, params, settings={"max_block_size": BLOCK}):
        if row[:3] != last:
            last = row[:3]
            yield Stated(*row)


def identifiers(client: Client, settings: Settings, names: Collection[str], below: Sequence[int]) -> int:
    """About how many primary identifiers such events have."""
    params = {
        "topic": EVENTS.name(settings.namespace), "after": "", "names": tuple(sorted(names)), "below": list(below),
    }  # fmt: skip
    found: int = client.execute(f"SELECT uniq(key) {_OF_CUSTOMERS}", params)[0][0]
    return found
