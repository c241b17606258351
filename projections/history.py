"""What one customer did, event by event, as the fold took it."""

from typing import Any, NamedTuple

import orjson
from clickhouse_driver import Client

from schemas.errors import CdpError

MOST = 50_000
"""Events of one customer that are read."""
# What the fold refused or a bot sent is no event of anybody; the first payload of an event is the one that counts.
_EVENTS = """\
SELECT keys, type, name, source, message_id, channel, toUnixTimestamp64Milli(occurred_at) AS occurred_at,
       toUnixTimestamp64Milli(received_at) AS received_at, identifiers, properties, traits, context
FROM events_raw FINAL
WHERE key IN splitByChar(' ', %(keys)s) AND NOT bot
  AND (kafka_topic, kafka_partition, kafka_offset) NOT IN (
      SELECT splitByChar('/', place)[1], toUInt32OrZero(splitByChar('/', place)[2]),
             toUInt64OrZero(splitByChar('/', place)[3])
      FROM rejected_raw WHERE NOT startsWith(place, kafka_topic))
LIMIT %(most)s
"""
_JSON = ("identifiers", "properties", "traits", "context")


class Known(NamedTuple):
    """An event as the log has it. `keys`: of all its identifiers, the primary first."""

    keys: list[str]
    body: dict[str, Any]


def events_of(client: Client, keys: list[str]) -> list[Known]:
    """Every event of which one of these identifiers is the primary; CdpError where they are more than MOST."""
    rows, columns = client.execute(
        _EVENTS, {"keys": " ".join(keys), "most": MOST + 1}, with_column_types=True
    )
    if len(rows) > MOST:
        raise CdpError(
            f"more than {MOST:,} events: too many to look at one by one", "events", "ask the views instead"
        )
    names = [name for name, _ in columns][1:]
    return [Known(row[0].split(" "), _body(dict(zip(names, row[1:], strict=True)))) for row in rows]


def _body(columns: dict[str, Any]) -> dict[str, Any]:
    return {"v": 1, **columns, **{name: orjson.loads(columns[name]) for name in _JSON}}
