"""Customers and their events as rows of ClickHouse, made by ClickHouse itself: no fold and no sink between."""

from clickhouse_driver import Client

from schemas.topics import DAY_MS

HISTORY_DAYS = 90
BLOCK = 1_000_000
# The n-th customer is the key of n: few have most events, a power law.
_KEY = "concat('user_id:', lower(hex(sipHash128('key', toUInt64({})))))"
_PROFILES = f"""
INSERT INTO profiles_raw (
    customer_id, stage, stage_since, lifecycle, identifiers, keys, first_seen, last_seen, first_own, last_own,
    events, event_counts, channels, sources, purchases, revenue_by_currency, contract_end, traits, sequence,
    logical_at, rev, kafka_topic
)
WITH fromUnixTimestamp64Milli(toInt64(%(now)s), 'UTC') AS at
SELECT
    reinterpretAsUUID(sipHash128('id', number)), 'new', at, 'lifecycle/ecommerce/1',
    map('user_id', [toString(number)]), [{_KEY.format("number")}], at - INTERVAL 100 DAY, at,
    at - INTERVAL (number %% 100) DAY, at - INTERVAL (number %% 50) DAY,
    10, map('Page Viewed', 4, 'Product Viewed', 3, 'Order Completed', number %% 3), map('web', number %% 9),
    map('shop', 9), number %% 3, map('USD', toDecimal128(number %% 500, 9), 'EUR', toDecimal128(number %% 7, 9)), '',
    concat('{{"region":"', ['north', 'south', 'east', 'west'][number %% 4 + 1], '","birthday":"',
           toString(toDate32('1960-01-01') + number %% 18000), '","consent":true}}'),
    1, at - INTERVAL (number %% 86400) SECOND, 1, 'cdp.state.v1'
FROM numbers(%(first)s, %(count)s)"""
_EVENTS = f"""
INSERT INTO events_raw (
    key, source, message_id, type, name, channel, occurred_at, received_at, identifiers, properties, traits, context,
    kafka_topic, kafka_partition, kafka_offset
)
WITH fromUnixTimestamp64Milli(toInt64(%(now)s - cityHash64(number, 'at') %% {HISTORY_DAYS * DAY_MS}), 'UTC') AS at
SELECT
    {_KEY.format("%(customers)s * pow(cityHash64(number, 'who') / 18446744073709551616., 1.5)")},
    'shop', hex(cityHash64(number)), 'track',
    ['Page Viewed', 'Page Viewed', 'Page Viewed', 'Page Viewed', 'Product Viewed', 'Product Viewed', 'Product Viewed',
     'Product Added', 'Message Opened', 'Order Completed'][cityHash64(number, 'name') %% 10 + 1],
    'web', at, at, '{{}}',
    concat('{{"product_id":"p', toString(cityHash64(number, 'product') %% 5000), '","category":"',
           ['shoes', 'shirts', 'hats', 'bags', 'coats', 'socks'][cityHash64(number, 'category') %% 6 + 1],
           '","price":"', toString(cityHash64(number, 'price') %% 200), '.95","quantity":', toString(number %% 4),
           ',"currency":"', if(number %% 10 = 0, 'EUR', 'USD'), '","url":"https://shop.example.org/products/',
           hex(cityHash64(number, 'url')), '"}}'),
    '{{}}', '{{}}', 'cdp.events.v1', number %% 8, number
FROM numbers(%(first)s, %(count)s)"""


def fill(client: Client, customers: int, events: int, now: int) -> None:
    """So many customers, and their events of the last 90 days before `now` (Unix ms)."""
    for statement, rows in ((_PROFILES, customers), (_EVENTS, events)):
        for first in range(0, rows, BLOCK):
            of = {"first": first, "count": min(BLOCK, rows - first), "customers": customers, "now": now}
            client.execute(statement, of)
