-- The tables that the sink writes. Analysts read the views of 002, which are FINAL inside.
-- No table is partitioned: a row written twice may arrive in another month, and FINAL merges rows of
-- different partitions at every read (docs/decisions/0010-tables-sorted-by-customer.md).

-- The first payload of an event wins: `version` falls with received_at, then with the place in the log.
CREATE TABLE IF NOT EXISTS events_raw
(
    key                String,
    keys               String CODEC(ZSTD(1)),
    source             LowCardinality(String),
    message_id         String,
    type               LowCardinality(String),
    name               LowCardinality(String),
    channel            LowCardinality(String),
    occurred_at        DateTime64(3, 'UTC'),
    received_at        DateTime64(3, 'UTC'),
    sent_at            Nullable(DateTime64(3, 'UTC')),
    original_timestamp Nullable(String),
    identifiers        String CODEC(ZSTD(1)),
    properties         String CODEC(ZSTD(1)),
    traits             String CODEC(ZSTD(1)),
    context            String CODEC(ZSTD(1)),
    entry              LowCardinality(String),
    entry_id           String,
    entry_sub_id       String,
    entry_amount       Nullable(Decimal(38, 9)),
    entry_currency     LowCardinality(String),
    kafka_topic        LowCardinality(String),
    kafka_partition    UInt32,
    kafka_offset       UInt64,
    version            UInt64 MATERIALIZED 18446744073709551615
                       - (toUInt64(greatest(toUnixTimestamp64Milli(received_at), 0)) * 1048576
                          + kafka_offset % 1048576)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (key, source, message_id);

CREATE TABLE IF NOT EXISTS profiles_raw
(
    customer_id          UUID,
    stage                LowCardinality(String),
    stage_since          DateTime64(3, 'UTC'),
    lifecycle            LowCardinality(String),
    identifiers          Map(String, Array(String)),
    keys                 Array(String),
    first_seen           DateTime64(3, 'UTC'),
    last_seen            DateTime64(3, 'UTC'),
    first_own            Nullable(DateTime64(3, 'UTC')),
    last_own             Nullable(DateTime64(3, 'UTC')),
    events               UInt64,
    event_counts         Map(String, UInt64),
    other_events         UInt64,
    active_days          Map(Int32, UInt32),
    channels             Map(String, UInt64),
    sources              Map(String, UInt64),
    purchases            UInt32,
    revenue_by_currency  Map(String, Decimal(38, 9)),
    refunded_by_currency Map(String, Decimal(38, 9)),
    contracts            UInt32,
    renewals             UInt32,
    contract_end         String,
    stored_value         Map(String, Decimal(38, 9)),
    traits               String CODEC(ZSTD(1)),
    sequence             UInt32,
    logical_at           DateTime64(3, 'UTC'),
    rev                  UInt64,
    is_deleted           UInt8,
    kafka_topic          LowCardinality(String),
    kafka_partition      UInt32,
    kafka_offset         UInt64,
    revenue              Decimal(38, 9) MATERIALIZED revenue_by_currency['${CURRENCY}'],
    refunded             Decimal(38, 9) MATERIALIZED refunded_by_currency['${CURRENCY}']
)
ENGINE = ReplacingMergeTree(rev, is_deleted)
ORDER BY customer_id;

CREATE TABLE IF NOT EXISTS identities_raw
(
    key             String,
    customer_id     UUID,
    rev             UInt64,
    is_deleted      UInt8,
    kafka_topic     LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset    UInt64
)
ENGINE = ReplacingMergeTree(rev, is_deleted)
ORDER BY key
SETTINGS index_granularity = 1024;

CREATE TABLE IF NOT EXISTS lifecycle_changes_raw
(
    id              UUID,
    customer_id     UUID,
    lifecycle       LowCardinality(String),
    from_stage      LowCardinality(String),
    to_stage        LowCardinality(String),
    effective_at    DateTime64(3, 'UTC'),
    caused_at       DateTime64(3, 'UTC'),
    cause           String,
    sequence        UInt32,
    identifiers     Map(String, Array(String)),
    kafka_topic     LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset    UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (customer_id, sequence, id);

-- What never entered the log is kept as long as its topic keeps it. What stands in the log stays here: `orders`
-- must not count what the fold refused.
CREATE TABLE IF NOT EXISTS rejected_raw
(
    place           String,
    source          LowCardinality(String),
    reason          LowCardinality(String),
    detail          String,
    received_at     DateTime64(3, 'UTC'),
    message_id      String,
    original        String CODEC(ZSTD(1)),
    by_projection   UInt8,
    kafka_topic     LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset    UInt64,
    version         UInt8 MATERIALIZED 1 - by_projection
)
ENGINE = ReplacingMergeTree(version)
ORDER BY place
TTL toDateTime(received_at) + INTERVAL 30 DAY DELETE WHERE by_projection = 0 AND startsWith(place, kafka_topic);
