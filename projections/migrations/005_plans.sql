-- Tracking plans and bots: what an event breaks of its source's plan, and which were sent by programs.

ALTER TABLE events_raw
    ADD COLUMN IF NOT EXISTS bot UInt8 AFTER context,
    ADD COLUMN IF NOT EXISTS violations Array(LowCardinality(String)) AFTER bot;

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
    violations         Array(String) COMMENT 'Rules of the source''s tracking plan that it breaks and was accepted all the same, as Order Completed@2 /properties/total type; see plan_violations',
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
    e.original_timestamp AS original_timestamp, e.violations AS violations, e.kafka_topic AS kafka_topic,
    e.kafka_partition AS kafka_partition, e.kafka_offset AS kafka_offset
FROM (SELECT * FROM events_raw FINAL WHERE NOT bot) AS e
LEFT ANY JOIN (SELECT key, customer_id FROM identities_raw FINAL) AS i ON e.key = i.key
COMMENT 'Every accepted event, once, with the customer it belongs to at present; what crawlers sent is in bot_events';

CREATE OR REPLACE VIEW bot_events
(
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
    violations         Array(String) COMMENT 'Rules of the source''s tracking plan that it breaks and was accepted all the same, as Order Completed@2 /properties/total type; see plan_violations',
    kafka_topic        String COMMENT 'Topic that holds the event',
    kafka_partition    UInt32 COMMENT 'Its partition',
    kafka_offset       UInt64 COMMENT 'Its offset'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    name, occurred_at, received_at, channel, source, type, message_id, key, splitByChar(' ', keys) AS keys,
    JSONExtract(identifiers, 'Map(String, Array(String))') AS identifiers, properties, traits, context, sent_at,
    original_timestamp, violations, kafka_topic, kafka_partition, kafka_offset
FROM events_raw FINAL
-- the keys first, so that only their rows are merged; then again, for a duplicate may be of another kind
WHERE bot AND (key, source, message_id) IN (SELECT key, source, message_id FROM events_raw WHERE bot)
COMMENT 'What crawlers and other programs sent: kept, of no customer, and in no other view but plan_violations';

CREATE OR REPLACE VIEW plan_violations
(
    day     Date32 COMMENT 'Day on which they arrived, in the time zone of the deployment',
    source  String COMMENT 'Source whose tracking plan it is',
    event   String COMMENT 'Name of the event',
    rule    String COMMENT 'What it breaks: EVENT@VERSION POINTER KEYWORD, as Order Completed@2 /properties/total type; EVENT unplanned, one that is not in the plan; EVENT version, a version that is not',
    outcome String COMMENT 'marked: accepted all the same, see events.violations; or rejected, see rejected',
    events  UInt64 COMMENT 'Events that break it, by message_id; one that breaks several rules counts for each'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT day, source, event, rule, outcome, uniqExact(id) AS events
FROM
(
    SELECT
        toDate32(toTimeZone(received_at, '${TIMEZONE}')) AS day, source, name AS event,
        arrayJoin(violations) AS rule, 'marked' AS outcome, message_id AS id
    FROM events_raw FINAL
    WHERE notEmpty(violations)
      AND (key, source, message_id) IN (SELECT key, source, message_id FROM events_raw WHERE notEmpty(violations))
    UNION ALL
    SELECT
        toDate32(toTimeZone(received_at, '${TIMEZONE}')) AS day, source,
        extract(rule, '^(.*?)(?:@[0-9]+ /.*| unplanned| version)$') AS event,
        arrayJoin(splitByString('; ', detail)) AS rule, 'rejected' AS outcome,
        if(message_id = '', place, message_id) AS id
    FROM rejected_raw FINAL
    WHERE reason = 'plan_violation'
)
GROUP BY day, source, event, rule, outcome
COMMENT 'How often rules of tracking plans were broken, by day, source, event, rule and what became of it; bots'' events among them';

CREATE OR REPLACE VIEW orders
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
        WHERE entry IN ('order', 'cancel', 'refund') AND NOT bot
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
