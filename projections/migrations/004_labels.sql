-- What customers are: labels (tags, segments, roles, the tier of value) in their profiles, and every change of one.

-- `labels` is JSON as the state has it, "kind/name" -> [value, since, version]; ClickHouse takes it apart once, when it
-- is written: done in the sink, a state took twice as long.
ALTER TABLE profiles_raw
    ADD COLUMN IF NOT EXISTS labels String CODEC(ZSTD(1)) AFTER lifecycle,
    ADD COLUMN IF NOT EXISTS scores Array(UInt8) AFTER labels,
    ADD COLUMN IF NOT EXISTS left_out UInt32 AFTER scores,
    ADD COLUMN IF NOT EXISTS portrait Array(Tuple(
        kind String, name String, value String, since DateTime64(3, 'UTC'), version UInt32
    )) MATERIALIZED arrayMap(
        l -> (
            substringIndex(l.1, '/', 1), substringIndex(l.1, '/', -1), l.2.1,
            fromUnixTimestamp64Milli(l.2.2, 'UTC'), l.2.3
        ),
        JSONExtractKeysAndValues(labels, 'Tuple(String, Int64, UInt32)')
    ),
    ADD COLUMN IF NOT EXISTS tags Map(String, String) MATERIALIZED mapFromArrays(
        arrayMap(l -> l.name, arrayFilter(l -> l.kind = 'tag', portrait)),
        arrayMap(l -> l.value, arrayFilter(l -> l.kind = 'tag', portrait))
    ),
    ADD COLUMN IF NOT EXISTS segments Array(String)
        MATERIALIZED arraySort(arrayMap(l -> l.name, arrayFilter(l -> l.kind = 'segment', portrait))),
    ADD COLUMN IF NOT EXISTS roles Array(String)
        MATERIALIZED arraySort(arrayMap(l -> l.name, arrayFilter(l -> l.kind = 'role', portrait))),
    ADD COLUMN IF NOT EXISTS tier LowCardinality(String)
        MATERIALIZED arrayFirst(l -> l.kind = 'value', portrait).value;

CREATE TABLE IF NOT EXISTS segment_changes_raw
(
    id              UUID,
    change          LowCardinality(String),
    customer_id     UUID,
    kind            LowCardinality(String),
    name            LowCardinality(String),
    value           LowCardinality(String),
    definition      LowCardinality(String),
    effective_at    DateTime64(3, 'UTC'),
    caused_at       DateTime64(3, 'UTC'),
    cause           String,
    sequence        UInt32,
    identifiers     Map(String, Array(String)) CODEC(ZSTD(1)),
    kafka_topic     LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset    UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (customer_id, sequence, id);

CREATE OR REPLACE VIEW profiles
(
    customer_id          UUID COMMENT 'Id of the customer; other views name it the same',
    stage                String COMMENT 'Lifecycle stage: prospect, responder, new, mature, silent or churned',
    stage_since          DateTime64(3, 'UTC') COMMENT 'Since when, in the logical time of the lifecycle',
    lifecycle            String COMMENT 'Definition under which the stage was found: lifecycle/name/version',
    tags                 Map(String, String) COMMENT 'Tags and their values, as tags[''basket'']; since when and by which definition: portraits',
    segments             Array(String) COMMENT 'Segments that the customer is in, as has(segments, ''win_back'')',
    roles                Array(String) COMMENT 'What the customer is to the brand, several at once: fan, consumer, member, user, promoter',
    tier                 String COMMENT 'Tier of value, as platinum; empty while no thresholds are published, and for who never did anything',
    relationship_score   Nullable(UInt8) COMMENT '1 to 5: how long known, by its place in the whole base; NULL as tier is empty',
    frequency_score      Nullable(UInt8) COMMENT '1 to 5: how often active',
    monetary_score       Nullable(UInt8) COMMENT '1 to 5: how much revenue',
    revenue_left_out     UInt32 COMMENT 'Currencies whose revenue no condition and no score counts: they have no published rate into ${CURRENCY}',
    identifiers          Map(String, Array(String)) COMMENT 'Personal: known identifiers by namespace, up to 50 each, as identifiers[''email'']',
    keys                 Array(String) COMMENT 'Pseudonymous keys of the identifiers, the greatest first; see identities',
    conflicts            Array(Tuple(reason String, identifier String, other String)) COMMENT 'Statements that link an identifier of the customer with one of another, and do not count: unique (each has its own value of a namespace of which a customer has one), shared (the lesser is shared and joined elsewhere), split (an operator said that they are two), too_large',
    former_ids           Array(UUID) COMMENT 'Customers whose history this one has taken over, by ids that were published',
    first_seen           DateTime64(3, 'UTC') COMMENT 'occurred_at of the first event',
    last_seen            DateTime64(3, 'UTC') COMMENT 'occurred_at of the last event',
    first_own            Nullable(DateTime64(3, 'UTC')) COMMENT 'First event of the customer''s own doing; messages sent and refunds made are not',
    last_own             Nullable(DateTime64(3, 'UTC')) COMMENT 'Last event of the customer''s own doing',
    events               UInt64 COMMENT 'Events counted, each once',
    event_counts         Map(String, UInt64) COMMENT 'Events by name: the registered names and up to 100 others',
    other_events         UInt64 COMMENT 'Events whose names are not in event_counts',
    active_days          Map(Date32, UInt32) COMMENT 'Events of the customer''s own doing by local day, the 90 latest days',
    channels             Map(String, UInt64) COMMENT 'Events by channel',
    sources              Map(String, UInt64) COMMENT 'Events by source',
    purchases            UInt32 COMMENT 'Orders completed, not cancelled and not fully refunded',
    revenue              Decimal(38, 9) COMMENT 'Net of refunds and cancellations, in ${CURRENCY}, the currency of the deployment',
    refunded             Decimal(38, 9) COMMENT 'Refunded of orders that were not cancelled, in ${CURRENCY}',
    revenue_by_currency  Map(String, Decimal(38, 9)) COMMENT 'Net revenue by ISO 4217 code',
    refunded_by_currency Map(String, Decimal(38, 9)) COMMENT 'Refunded by ISO 4217 code',
    contracts            UInt32 COMMENT 'Contracts signed',
    renewals             UInt32 COMMENT 'Renewals of contracts',
    contract_end         Nullable(Date32) COMMENT 'The latest last day of all contracts',
    stored_value         Map(String, Decimal(38, 9)) COMMENT 'Balance of stored-value cards by ISO 4217 code',
    traits               String COMMENT 'Personal: latest value of each trait, a JSON object; as JSONExtractString(traits, ''plan'')',
    sequence             UInt32 COMMENT 'Lifecycle changes published so far; the sequence of the latest one',
    logical_at           DateTime64(3, 'UTC') COMMENT 'Logical time of the profile: the latest that it has seen',
    rev                  UInt64 COMMENT 'Grows with every version of the profile',
    kafka_topic          String COMMENT 'Topic of the state record that this row is',
    kafka_partition      UInt32 COMMENT 'Its partition',
    kafka_offset         UInt64 COMMENT 'Its offset'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    customer_id, stage, stage_since, lifecycle, tags, segments, roles, tier,
    nullIf(scores[1], 0) AS relationship_score, nullIf(scores[2], 0) AS frequency_score,
    nullIf(scores[3], 0) AS monetary_score, left_out AS revenue_left_out, identifiers, keys, conflicts, former_ids,
    first_seen, last_seen, first_own, last_own, events, event_counts, other_events,
    mapApply((day, number) -> (toDate32(day), number), active_days) AS active_days,
    channels, sources, purchases, revenue, refunded, revenue_by_currency, refunded_by_currency,
    contracts, renewals, toDate32OrNull(contract_end) AS contract_end, stored_value, traits,
    sequence, logical_at, rev, kafka_topic, kafka_partition, kafka_offset
FROM profiles_raw FINAL
COMMENT 'Live profile of every customer, one row each: who they are, what they did, and what they are by the definitions in force';

CREATE OR REPLACE VIEW portraits
(
    customer_id UUID COMMENT 'Who',
    kind        String COMMENT 'tag, segment, role or value',
    name        String COMMENT 'Name of the tag, segment, role or value',
    value       String COMMENT 'Value of the tag, or the tier; empty for segments and roles',
    since       DateTime64(3, 'UTC') COMMENT 'Logical time from which it holds',
    definition  String COMMENT 'Definition that says so: kind/name/version'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    customer_id, label.kind AS kind, label.name AS name, label.value AS value, label.since AS since,
    concat(label.kind, '/', label.name, '/', toString(label.version)) AS definition
FROM profiles_raw FINAL
ARRAY JOIN portrait AS label
COMMENT 'The portrait of every customer at present: one row for each tag, segment, role and tier';

CREATE OR REPLACE VIEW segment_changes
(
    id                  UUID COMMENT 'Stable id of the change, the same as ce_id on the topic',
    change              String COMMENT 'entered or left. A tag or tier that changes leaves its old value, then enters the new one',
    customer_id         UUID COMMENT 'Who, by the id that it was published for',
    current_customer_id Nullable(UUID) COMMENT 'Who has the history of that customer at present: another one where it was merged; NULL for the moment until the state is here',
    kind                String COMMENT 'tag, segment, role or value',
    name                String COMMENT 'Name of the tag, segment, role or value',
    value               String COMMENT 'Value of the tag, or the tier; empty for segments and roles',
    definition          String COMMENT 'Definition under which it was found: kind/name/version',
    effective_at        DateTime64(3, 'UTC') COMMENT 'Logical time from which it holds, or holds no more',
    caused_at           DateTime64(3, 'UTC') COMMENT 'occurred_at of the event that caused it; effective_at where time alone or a definition did',
    cause               String COMMENT 'source/message_id of the event that caused it, time, or the definition that came into force',
    sequence            UInt32 COMMENT '1, 2, 3 ... of all these changes of each customer',
    identifiers         Map(String, Array(String)) COMMENT 'Identifiers that are not personal, by namespace',
    kafka_topic         String COMMENT 'Topic of the change',
    kafka_partition     UInt32 COMMENT 'Its partition',
    kafka_offset        UInt64 COMMENT 'Its offset: a new subscriber bootstraps here and seeks there'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    c.id AS id, c.change AS change, c.customer_id AS customer_id,
    nullIf(i.customer_id, toUUID('00000000-0000-0000-0000-000000000000')) AS current_customer_id,
    c.kind AS kind, c.name AS name, c.value AS value, c.definition AS definition, c.effective_at AS effective_at,
    c.caused_at AS caused_at, c.cause AS cause, c.sequence AS sequence, c.identifiers AS identifiers,
    c.kafka_topic AS kafka_topic, c.kafka_partition AS kafka_partition, c.kafka_offset AS kafka_offset
FROM (SELECT *, toString(customer_id) AS as_key FROM segment_changes_raw FINAL) AS c
LEFT ANY JOIN (SELECT key, customer_id FROM identities_raw FINAL) AS i ON c.as_key = i.key
COMMENT 'Every change of a segment, role, tag or tier, as published';

CREATE OR REPLACE VIEW label_periods
(
    customer_id         UUID COMMENT 'Who, by the id that the changes were published for',
    current_customer_id Nullable(UUID) COMMENT 'Who has that history at present: another one where the customer was merged, which ends all its periods',
    kind                String COMMENT 'tag, segment, role or value',
    name                String COMMENT 'Name of the tag, segment, role or value',
    value               String COMMENT 'Value of the tag, or the tier; empty for segments and roles',
    definition          String COMMENT 'Definition under which the customer entered: kind/name/version',
    valid_from          DateTime64(3, 'UTC') COMMENT 'Logical time from which it held',
    valid_to            Nullable(DateTime64(3, 'UTC')) COMMENT 'Logical time from which it held no more, exclusive; NULL while it holds',
    sequence            UInt32 COMMENT 'sequence of the change that began it'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    p.customer_id AS customer_id,
    nullIf(i.customer_id, toUUID('00000000-0000-0000-0000-000000000000')) AS current_customer_id,
    p.kind AS kind, p.name AS name, p.value AS value, p.definition AS definition,
    p.valid_from AS valid_from, p.valid_to AS valid_to, p.sequence AS sequence
FROM
(
    SELECT
        customer_id, toString(customer_id) AS as_key, change, kind, name, value, definition, sequence,
        effective_at AS valid_from,
        leadInFrame(toNullable(effective_at)) OVER (
            PARTITION BY customer_id, kind, name ORDER BY sequence
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS valid_to
    FROM segment_changes_raw FINAL
) AS p
LEFT ANY JOIN (SELECT key, customer_id FROM identities_raw FINAL) AS i ON p.as_key = i.key
WHERE p.change = 'entered'
COMMENT 'Segments, roles, tags and tiers of each customer through time; those at T have valid_from <= T AND (valid_to IS NULL OR T < valid_to)';

CREATE OR REPLACE VIEW segment_counts
(
    day     Date32 COMMENT 'Day of logical time, in the time zone of the deployment. A day on which nothing changed has no row: what the last one before it says still holds',
    kind    String COMMENT 'tag, segment, role or value',
    name    String COMMENT 'Name of the tag, segment, role or value',
    value   String COMMENT 'Value of the tag, or the tier; empty for segments and roles',
    entered UInt64 COMMENT 'Customers who entered on that day; who entered twice counts twice',
    left    UInt64 COMMENT 'Customers who left on that day, those among them who were merged into another',
    members Int64 COMMENT 'Customers in it at the day''s end'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    day, kind, name, value, entered, `left`,
    sum(toInt64(entered) - toInt64(`left`)) OVER (
        PARTITION BY kind, name, value ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS members
FROM
(
    SELECT
        toDate32(toTimeZone(effective_at, '${TIMEZONE}')) AS day, kind, name, value,
        countIf(change = 'entered') AS entered, countIf(change = 'left') AS `left`
    FROM segment_changes_raw FINAL
    GROUP BY day, kind, name, value
)
COMMENT 'Segments, roles, tags and tiers over time: who entered and left by day, and how many they were in the end';

CREATE OR REPLACE VIEW stage_by_tier
(
    stage                String COMMENT 'Lifecycle stage',
    tier                 String COMMENT 'Tier of value; empty where there is none yet',
    least_points         UInt8 COMMENT 'The least sum of scores in it, to sort tiers by; 0 where there are none',
    customers            UInt64 COMMENT 'Customers in both',
    revenue              Decimal(38, 9) COMMENT 'Their net revenue in ${CURRENCY}',
    revenue_per_customer Decimal(38, 9) COMMENT 'What one of them brought on average',
    purchases            UInt64 COMMENT 'Their orders, neither cancelled nor fully refunded',
    last_active          Nullable(DateTime64(3, 'UTC')) COMMENT 'When the latest of them did something'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    stage, tier, toUInt8(min(arraySum(scores))) AS least_points, count() AS customers, sum(p.revenue) AS revenue,
    toDecimal128(sum(p.revenue) / count(), 9) AS revenue_per_customer, sum(p.purchases) AS purchases,
    max(last_own) AS last_active
FROM profiles_raw AS p FINAL
GROUP BY stage, tier
COMMENT 'Whom to keep and whom to let go: stage by tier of value. High tiers that fall silent are worth every effort, low ones are not';
