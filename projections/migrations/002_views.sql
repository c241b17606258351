-- What analysts read. Every view and column says what it is; docs/views.md is generated from here.

CREATE VIEW IF NOT EXISTS profiles
(
    customer_id          UUID COMMENT 'Id of the customer; other views name it the same',
    stage                String COMMENT 'Lifecycle stage: prospect, responder, new, mature, silent or churned',
    stage_since          DateTime64(3, 'UTC') COMMENT 'Since when, in the logical time of the lifecycle',
    lifecycle            String COMMENT 'Definition under which the stage was found: lifecycle/name/version',
    identifiers          Map(String, Array(String)) COMMENT 'Personal: known identifiers by namespace, up to 50 each, as identifiers[''email'']',
    keys                 Array(String) COMMENT 'Pseudonymous keys of the identifiers; see identities',
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
    customer_id, stage, stage_since, lifecycle, identifiers, keys, first_seen, last_seen, first_own, last_own,
    events, event_counts, other_events,
    mapApply((day, number) -> (toDate32(day), number), active_days) AS active_days,
    channels, sources, purchases, revenue, refunded, revenue_by_currency, refunded_by_currency,
    contracts, renewals, toDate32OrNull(contract_end) AS contract_end, stored_value, traits,
    sequence, logical_at, rev, kafka_topic, kafka_partition, kafka_offset
FROM profiles_raw FINAL
COMMENT 'Live profile of every customer, one row each: who they are, what they did, and the stage they are in';

CREATE VIEW IF NOT EXISTS identities
(
    key             String COMMENT 'Pseudonymous key of an identifier: namespace:digest',
    namespace       String COMMENT 'Kind of identifier, with the account it belongs to: email, wechat_openid/APPID',
    customer_id     UUID COMMENT 'Whose identifier it is at present',
    rev             UInt64 COMMENT 'Grows with every version of the customer',
    kafka_topic     String COMMENT 'Topic of the state record that this row comes from',
    kafka_partition UInt32 COMMENT 'Its partition',
    kafka_offset    UInt64 COMMENT 'Its offset'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    key, substring(key, 1, position(key, ':') - 1) AS namespace, customer_id, rev,
    kafka_topic, kafka_partition, kafka_offset
FROM identities_raw FINAL
COMMENT 'Which identifier belongs to which customer, at present';

CREATE VIEW IF NOT EXISTS events
(
    customer_id        Nullable(UUID) COMMENT 'Whose event it is at present; NULL for the moment until it is folded',
    name               String COMMENT 'What happened, as Order Completed; Page Viewed, Identified and the like for calls other than track',
    occurred_at        DateTime64(3, 'UTC') COMMENT 'When it happened, corrected for the sender''s clock: chronology',
    received_at        DateTime64(3, 'UTC') COMMENT 'When it arrived: filter by this one',
    channel            String COMMENT 'Where it happened: social, ecommerce, offline, web, mobile, server, email, message, call or iot',
    source             String COMMENT 'Name of the source that sent it',
    type               String COMMENT 'The call: track, identify, page, screen, group or alias',
    message_id         String COMMENT 'The sender''s id of the event; each counts once, the first one received',
    key                String COMMENT 'Pseudonymous key of the primary identifier',
    keys               Array(String) COMMENT 'Keys of all its identifiers, the primary first',
    identifiers        Map(String, Array(String)) COMMENT 'Personal: identifiers by namespace, as identifiers[''email'']',
    properties         String COMMENT 'What happened, a JSON object; as JSONExtractString(properties, ''sku''). Amounts are decimal strings',
    traits             String COMMENT 'Personal: what the event states of the customer, a JSON object',
    context            String COMMENT 'Where it happened, a JSON object; may hold personal fields',
    sent_at            Nullable(DateTime64(3, 'UTC')) COMMENT 'When the client sent it, by its own clock',
    original_timestamp Nullable(String) COMMENT 'The client''s own timestamp, as it came',
    kafka_topic        String COMMENT 'Topic that holds the event',
    kafka_partition    UInt32 COMMENT 'Its partition',
    kafka_offset       UInt64 COMMENT 'Its offset'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    nullIf(i.customer_id, toUUID('00000000-0000-0000-0000-000000000000')) AS customer_id,
    e.name AS name, e.occurred_at AS occurred_at, e.received_at AS received_at, e.channel AS channel,
    e.source AS source, e.type AS type, e.message_id AS message_id, e.key AS key,
    splitByChar(' ', e.keys) AS keys,
    JSONExtract(e.identifiers, 'Map(String, Array(String))') AS identifiers,
    e.properties AS properties, e.traits AS traits, e.context AS context, e.sent_at AS sent_at,
    e.original_timestamp AS original_timestamp, e.kafka_topic AS kafka_topic,
    e.kafka_partition AS kafka_partition, e.kafka_offset AS kafka_offset
FROM (SELECT * FROM events_raw FINAL) AS e
LEFT ANY JOIN (SELECT key, customer_id FROM identities_raw FINAL) AS i ON e.key = i.key
COMMENT 'Every accepted event, once, with the customer it belongs to at present';

CREATE VIEW IF NOT EXISTS lifecycle_changes
(
    id              UUID COMMENT 'Stable id of the change, the same as ce_id on the topic',
    customer_id     UUID COMMENT 'Who entered a stage',
    from_stage      Nullable(String) COMMENT 'The stage before; NULL where the customer was not known before',
    to_stage        String COMMENT 'The stage entered',
    effective_at    DateTime64(3, 'UTC') COMMENT 'Logical time from which the customer is in this stage',
    caused_at       DateTime64(3, 'UTC') COMMENT 'occurred_at of the event that caused it; effective_at where time alone did',
    cause           String COMMENT 'source/message_id of the event that caused it, or time',
    lifecycle       String COMMENT 'Definition under which it was found: lifecycle/name/version',
    sequence        UInt32 COMMENT '1, 2, 3 ... for each customer',
    identifiers     Map(String, Array(String)) COMMENT 'Identifiers that are not personal, by namespace',
    kafka_topic     String COMMENT 'Topic of the change',
    kafka_partition UInt32 COMMENT 'Its partition',
    kafka_offset    UInt64 COMMENT 'Its offset: a new subscriber bootstraps here and seeks there'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    id, customer_id, nullIf(from_stage, '') AS from_stage, to_stage, effective_at, caused_at, cause, lifecycle,
    sequence, identifiers, kafka_topic, kafka_partition, kafka_offset
FROM lifecycle_changes_raw FINAL
COMMENT 'Every change of lifecycle stage, as published';

CREATE VIEW IF NOT EXISTS lifecycle_periods
(
    customer_id UUID COMMENT 'Who',
    stage       String COMMENT 'The stage',
    valid_from  DateTime64(3, 'UTC') COMMENT 'Logical time at which the customer entered it',
    valid_to    Nullable(DateTime64(3, 'UTC')) COMMENT 'Logical time at which the customer left it, exclusive; NULL while in it',
    sequence    UInt32 COMMENT 'Place of the period among the customer''s: 1, 2, 3 ...'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    customer_id, to_stage AS stage, effective_at AS valid_from,
    leadInFrame(toNullable(effective_at)) OVER (
        PARTITION BY customer_id ORDER BY sequence ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS valid_to,
    sequence
FROM lifecycle_changes_raw FINAL
COMMENT 'Stages of each customer through time; the stage at T is valid_from <= T AND (valid_to IS NULL OR T < valid_to)';

CREATE VIEW IF NOT EXISTS orders
(
    customer_id Nullable(UUID) COMMENT 'Whose order it is at present',
    source      String COMMENT 'Source that stated it; ids mean something within a source',
    order_id    String COMMENT 'Id of the order; the message_id where the source gave none',
    first_seen  DateTime64(3, 'UTC') COMMENT 'occurred_at of the first Order Completed of this order',
    amount      Decimal(38, 9) COMMENT 'Amount of the latest Order Completed',
    refunded    Decimal(38, 9) COMMENT 'What went back of it: parts by refund_id add up, at most the amount',
    net         Decimal(38, 9) COMMENT 'amount less refunded; 0 where cancelled. Its sum is profiles.revenue',
    currency    String COMMENT 'ISO 4217 code of the three amounts',
    cancelled   Bool COMMENT 'Taken back whole, by an Order Cancelled that may have come before the order',
    is_purchase Bool COMMENT 'Neither cancelled nor fully refunded; counted in profiles.purchases'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS WITH
    entries AS (
        SELECT key, source, message_id, occurred_at, entry, entry_id, entry_sub_id, entry_amount,
               toString(entry_currency) AS currency
        FROM events_raw FINAL
        WHERE entry IN ('order', 'cancel', 'refund')
          AND concat(kafka_topic, '/', toString(kafka_partition), '/', toString(kafka_offset))
              NOT IN (SELECT place FROM rejected_raw WHERE NOT startsWith(place, kafka_topic))
    ),
    statements AS (
        SELECT customer_id,
               -- not folded yet: orders of different identifiers are not taken for one
               if(customer_id = toUUID('00000000-0000-0000-0000-000000000000'), key, '') AS unfolded,
               source, entry_id, entry, entry_sub_id,
               min(occurred_at) AS first_seen,
               argMax((ifNull(entry_amount, 0), currency),
                      (occurred_at, message_id, toString(ifNull(entry_amount, 0)), currency)) AS paid,
               max((entry_amount IS NULL, ifNull(entry_amount, 0), currency)) AS refund
        FROM entries LEFT ANY JOIN (SELECT key, customer_id FROM identities_raw FINAL) AS i USING key
        GROUP BY customer_id, unfolded, source, entry_id, entry, entry_sub_id
    ),
    joined AS (
        SELECT customer_id, unfolded, source, entry_id,
               minIf(first_seen, entry = 'order') AS first_seen,
               anyIf(paid, entry = 'order') AS paid,
               max(entry = 'cancel') AS cancelled,
               groupArrayIf(refund, entry = 'refund') AS refunds,
               arraySum(r -> if(r.3 IN ('', paid.2), toDecimal256(r.2, 9), toDecimal256(0, 9)), refunds) AS back
        FROM statements
        GROUP BY customer_id, unfolded, source, entry_id
        HAVING countIf(entry = 'order') > 0
    )
SELECT
    nullIf(customer_id, toUUID('00000000-0000-0000-0000-000000000000')) AS customer_id,
    source, entry_id AS order_id, first_seen, paid.1 AS amount,
    toDecimal128(if(arrayExists(r -> r.1, refunds), toDecimal256(paid.1, 9), least(back, toDecimal256(paid.1, 9))), 9)
        AS refunded,
    if(cancelled, toDecimal128(0, 9), amount - refunded) AS net,
    paid.2 AS currency,
    toBool(cancelled) AS cancelled,
    toBool(NOT cancelled AND (empty(refunds) OR refunded < amount)) AS is_purchase
FROM joined
COMMENT 'Orders that were completed, net of refunds, one row each; a cancelled one stays, with net 0';

CREATE VIEW IF NOT EXISTS rejected
(
    received_at     DateTime64(3, 'UTC') COMMENT 'When it arrived, or when it was refused',
    source          String COMMENT 'Source that sent it; empty where it is not known',
    reason          String COMMENT 'Why, in one word: malformed, invalid, no_identifier, bad_amount, state_full, unreadable ...',
    detail          String COMMENT 'What is wrong and where, for a developer',
    message_id      String COMMENT 'The sender''s id of the event; empty where there is none',
    place           String COMMENT 'topic/partition/offset of what was refused',
    original        String COMMENT 'May be personal: the bytes as they came',
    kafka_topic     String COMMENT 'Topic of the record that this row comes from',
    kafka_partition UInt32 COMMENT 'Its partition',
    kafka_offset    UInt64 COMMENT 'Its offset'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    received_at, source, reason, detail, message_id, place, original, kafka_topic, kafka_partition, kafka_offset
FROM rejected_raw FINAL
COMMENT 'What was not accepted, with its reason; kept 30 days, or for ever where it stands in the log';

-- DIRECT: nothing is cached or grows, and a merge shows at once. For few identifiers at a time; the views join.
CREATE DICTIONARY IF NOT EXISTS customer_of
(
    key         String,
    customer_id UUID
)
PRIMARY KEY key
SOURCE(CLICKHOUSE(
    DB '${DATABASE}' USER '${USER}' PASSWORD '${PASSWORD}'
    QUERY 'SELECT key, customer_id FROM ${DATABASE}.identities_raw FINAL WHERE {condition}'
))
LAYOUT(COMPLEX_KEY_DIRECT())
COMMENT 'Customer of an identifier: dictGet(''customer_of'', ''customer_id'', key)';
