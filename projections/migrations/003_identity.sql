-- Identity: former ids and conflicts of customers, the graph behind them, and what changed in it.
-- The state projection gets a table, and so a group of its own: the tables are filled anew from the log.

ALTER TABLE profiles_raw
    ADD COLUMN IF NOT EXISTS conflicts Array(Tuple(reason String, identifier String, other String)) AFTER keys,
    ADD COLUMN IF NOT EXISTS former_ids Array(UUID) AFTER conflicts;

ALTER TABLE identities_raw
    ADD COLUMN IF NOT EXISTS root String AFTER customer_id;

-- One row a set of connected identifiers, however many statements it holds: an event costs one row.
CREATE TABLE IF NOT EXISTS identity_links_raw
(
    root            String,
    links           Array(Tuple(
                        greater String, lesser String, kind LowCardinality(String), stated_at DateTime64(3, 'UTC'),
                        message_id String, source String, verdict LowCardinality(String),
                        greater_customer_id Nullable(UUID), lesser_customer_id Nullable(UUID)
                    )) CODEC(ZSTD(1)),
    rev             UInt64,
    is_deleted      UInt8,
    kafka_topic     LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset    UInt64
)
ENGINE = ReplacingMergeTree(rev, is_deleted)
ORDER BY root
SETTINGS index_granularity = 1024;

CREATE TABLE IF NOT EXISTS identity_changes_raw
(
    id              UUID,
    change          LowCardinality(String),
    customer_id     UUID,
    other_id        Nullable(UUID),
    through         Array(String),
    reason          LowCardinality(String),
    effective_at    DateTime64(3, 'UTC'),
    stated_at       DateTime64(3, 'UTC'),
    cause           String,
    kafka_topic     LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset    UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (customer_id, id);

CREATE OR REPLACE VIEW profiles
(
    customer_id          UUID COMMENT 'Id of the customer; other views name it the same',
    stage                String COMMENT 'Lifecycle stage: prospect, responder, new, mature, silent or churned',
    stage_since          DateTime64(3, 'UTC') COMMENT 'Since when, in the logical time of the lifecycle',
    lifecycle            String COMMENT 'Definition under which the stage was found: lifecycle/name/version',
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
    customer_id, stage, stage_since, lifecycle, identifiers, keys, conflicts, former_ids,
    first_seen, last_seen, first_own, last_own, events, event_counts, other_events,
    mapApply((day, number) -> (toDate32(day), number), active_days) AS active_days,
    channels, sources, purchases, revenue, refunded, revenue_by_currency, refunded_by_currency,
    contracts, renewals, toDate32OrNull(contract_end) AS contract_end, stored_value, traits,
    sequence, logical_at, rev, kafka_topic, kafka_partition, kafka_offset
FROM profiles_raw FINAL
COMMENT 'Live profile of every customer, one row each: who they are, what they did, and the stage they are in';

CREATE OR REPLACE VIEW identities
(
    key             String COMMENT 'Pseudonymous key of an identifier, namespace:digest; or any customer_id ever published, as text',
    namespace       String COMMENT 'Kind of identifier, with the account it belongs to: email, wechat_openid/APPID; customer_id for such an id',
    customer_id     UUID COMMENT 'Whose it is at present; of a customer that was merged, who has its history',
    root            String COMMENT 'The greatest of all identifiers that were ever connected with it; see identity_links',
    rev             UInt64 COMMENT 'Grows with every version of the customer',
    kafka_topic     String COMMENT 'Topic of the state record that this row comes from',
    kafka_partition UInt32 COMMENT 'Its partition',
    kafka_offset    UInt64 COMMENT 'Its offset'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    key, if(position(key, ':') = 0, 'customer_id', substring(key, 1, position(key, ':') - 1)) AS namespace,
    customer_id, root, rev, kafka_topic, kafka_partition, kafka_offset
FROM identities_raw FINAL
COMMENT 'Which identifier belongs to which customer, at present; and which customer an id stands for that was published once';

CREATE OR REPLACE VIEW identity_links
(
    root                String COMMENT 'Which set of connected identifiers: its greatest; filter by this one. A link between two sets is in both',
    greater             String COMMENT 'Key of the greater identifier',
    lesser              String COMMENT 'Key of the lesser one',
    kind                String COMMENT 'What was stated: link (an event has both), alias (they are one customer) or split (they are two)',
    stated_at           DateTime64(3, 'UTC') COMMENT 'occurred_at of the event that stated it: the first that linked them, the latest that said so',
    message_id          String COMMENT 'message_id of that event; find it in events by its key, the greater one',
    source              String COMMENT 'Its source',
    verdict             String COMMENT 'joined (one customer); refused as unique, shared, split or too_large, see profiles.conflicts; parted (what a split says); crowded (an end is linked with more than its limit, so that it does not count); elsewhere (an end is of another set, at least for the moment); nobody (neither had an event of its own)',
    greater_customer_id Nullable(UUID) COMMENT 'Whose the greater is; NULL where it is nobody''s or elsewhere: look it up in identities',
    lesser_customer_id  Nullable(UUID) COMMENT 'Whose the lesser is; NULL as above',
    rev                 UInt64 COMMENT 'Grows with every version of the set',
    kafka_topic         String COMMENT 'Topic of the state record that this row comes from',
    kafka_partition     UInt32 COMMENT 'Its partition',
    kafka_offset        UInt64 COMMENT 'Its offset'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    root, link.greater AS greater, link.lesser AS lesser, link.kind AS kind, link.stated_at AS stated_at,
    link.message_id AS message_id, link.source AS source, link.verdict AS verdict,
    link.greater_customer_id AS greater_customer_id, link.lesser_customer_id AS lesser_customer_id,
    rev, kafka_topic, kafka_partition, kafka_offset
FROM identity_links_raw FINAL
ARRAY JOIN links AS link
COMMENT 'Why identifiers are one customer, or are not: each statement that links two, and what became of it';

CREATE OR REPLACE VIEW identity_changes
(
    id              UUID COMMENT 'Stable id of the change, the same as ce_id on the topic',
    change          String COMMENT 'merged, split or conflict',
    customer_id     UUID COMMENT 'merged: who has taken over the other; split: whom the other was parted from; conflict: whose identifier it is',
    other_id        Nullable(UUID) COMMENT 'The other customer; NULL in a conflict whose other side is not known here',
    through         Array(String) COMMENT 'Keys of the two identifiers that were linked, the greater first; empty if unknown',
    reason          String COMMENT 'Why a conflict was refused: unique, shared, split or too_large; else empty',
    effective_at    DateTime64(3, 'UTC') COMMENT 'Logical time of the customers',
    stated_at       DateTime64(3, 'UTC') COMMENT 'occurred_at of the event that states it',
    cause           String COMMENT 'source/message_id of that event',
    kafka_topic     String COMMENT 'Topic of the change',
    kafka_partition UInt32 COMMENT 'Its partition',
    kafka_offset    UInt64 COMMENT 'Its offset: a new subscriber bootstraps here and seeks there'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    id, change, customer_id, other_id, through, reason, effective_at, stated_at, cause,
    kafka_topic, kafka_partition, kafka_offset
FROM identity_changes_raw FINAL
COMMENT 'Every change of who is one customer, as published; what holds at present is in identities';

CREATE OR REPLACE VIEW events
(
    customer_id        Nullable(UUID) COMMENT 'Whose event it is at present; NULL for the moment until it is folded, and where an operator named what no event ever did',
    name               String COMMENT 'What happened, as Order Completed; Page Viewed, Identified and the like for calls other than track',
    occurred_at        DateTime64(3, 'UTC') COMMENT 'When it happened, corrected for the sender''s clock: chronology',
    received_at        DateTime64(3, 'UTC') COMMENT 'When it arrived: filter by this one',
    channel            String COMMENT 'Where it happened: social, ecommerce, offline, web, mobile, server, email, message, call or iot',
    source             String COMMENT 'Name of the source that sent it',
    type               String COMMENT 'The call: track, identify, page, screen, group or alias; link or split where an operator stated it, which is nothing that a customer did',
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

CREATE OR REPLACE VIEW lifecycle_changes
(
    id                  UUID COMMENT 'Stable id of the change, the same as ce_id on the topic',
    customer_id         UUID COMMENT 'Who entered a stage, by the id that it was published for',
    current_customer_id Nullable(UUID) COMMENT 'Who has the history of that customer at present: another one where it was merged; NULL for the moment until the state is here',
    from_stage          Nullable(String) COMMENT 'The stage before; NULL where the customer was not known before',
    to_stage            String COMMENT 'The stage entered',
    effective_at        DateTime64(3, 'UTC') COMMENT 'Logical time from which the customer is in this stage',
    caused_at           DateTime64(3, 'UTC') COMMENT 'occurred_at of the event that caused it; effective_at where time alone did',
    cause               String COMMENT 'source/message_id of the event that caused it, or time',
    lifecycle           String COMMENT 'Definition under which it was found: lifecycle/name/version',
    sequence            UInt32 COMMENT '1, 2, 3 ... for each customer',
    identifiers         Map(String, Array(String)) COMMENT 'Identifiers that are not personal, by namespace',
    kafka_topic         String COMMENT 'Topic of the change',
    kafka_partition     UInt32 COMMENT 'Its partition',
    kafka_offset        UInt64 COMMENT 'Its offset: a new subscriber bootstraps here and seeks there'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    c.id AS id, c.customer_id AS customer_id,
    nullIf(i.customer_id, toUUID('00000000-0000-0000-0000-000000000000')) AS current_customer_id,
    nullIf(c.from_stage, '') AS from_stage, c.to_stage AS to_stage, c.effective_at AS effective_at,
    c.caused_at AS caused_at, c.cause AS cause, c.lifecycle AS lifecycle, c.sequence AS sequence,
    c.identifiers AS identifiers, c.kafka_topic AS kafka_topic, c.kafka_partition AS kafka_partition,
    c.kafka_offset AS kafka_offset
FROM (SELECT *, toString(customer_id) AS as_key FROM lifecycle_changes_raw FINAL) AS c
LEFT ANY JOIN (SELECT key, customer_id FROM identities_raw FINAL) AS i ON c.as_key = i.key
COMMENT 'Every change of lifecycle stage, as published';

CREATE OR REPLACE VIEW lifecycle_periods
(
    customer_id         UUID COMMENT 'Who, by the id that the changes were published for',
    current_customer_id Nullable(UUID) COMMENT 'Who has that history at present. A customer that was merged has another here: its last period is what was published last, and it is in no stage',
    stage               String COMMENT 'The stage',
    valid_from          DateTime64(3, 'UTC') COMMENT 'Logical time at which the customer entered it',
    valid_to            Nullable(DateTime64(3, 'UTC')) COMMENT 'Logical time at which the customer left it, exclusive; NULL while in it',
    sequence            UInt32 COMMENT 'Place of the period among the customer''s: 1, 2, 3 ...'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    p.customer_id AS customer_id,
    nullIf(i.customer_id, toUUID('00000000-0000-0000-0000-000000000000')) AS current_customer_id,
    p.stage AS stage, p.valid_from AS valid_from, p.valid_to AS valid_to, p.sequence AS sequence
FROM
(
    SELECT
        customer_id, toString(customer_id) AS as_key, to_stage AS stage, effective_at AS valid_from,
        leadInFrame(toNullable(effective_at)) OVER (
            PARTITION BY customer_id ORDER BY sequence ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS valid_to,
        sequence
    FROM lifecycle_changes_raw FINAL
) AS p
LEFT ANY JOIN (SELECT key, customer_id FROM identities_raw FINAL) AS i ON p.as_key = i.key
COMMENT 'Stages of each customer through time; the stage at T is valid_from <= T AND (valid_to IS NULL OR T < valid_to)';
