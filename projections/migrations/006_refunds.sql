-- Refunds of which senders state the sum so far, beside those of which they state the parts.

CREATE OR REPLACE VIEW orders
(
    customer_id Nullable(UUID) COMMENT 'Whose order it is at present',
    source      String COMMENT 'Source that stated it; ids mean something within a source',
    order_id    String COMMENT 'Id of the order; the message_id where the source gave none',
    first_seen  DateTime64(3, 'UTC') COMMENT 'occurred_at of the first Order Completed of this order',
    amount      Decimal(38, 9) COMMENT 'Amount of the latest Order Completed',
    refunded    Decimal(38, 9) COMMENT 'What went back of it: parts by refund_id add up, or what its sender says went back in all; at most the amount',
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
               groupArrayIf((refund.1, refund.2, refund.3, entry_sub_id), entry = 'refund') AS refunds,
               arrayFilter(r -> r.3 IN ('', paid.2), refunds) AS mine,
               greatest(arraySum(r -> if(r.4 = '', toDecimal256(0, 9), toDecimal256(r.2, 9)), mine),
                        -- all that went back so far, where its sender states that: no part has this id
                        arraySum(r -> if(r.4 = '', toDecimal256(r.2, 9), toDecimal256(0, 9)), mine)) AS back
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
