-- The ten customers of the largest revenue, net of refunds, in the deployment's currency.
SELECT
    customer_id,
    identifiers,
    stage,
    purchases,
    revenue,
    toDate(first_seen) AS since,
    toDate(last_own) AS last_active
FROM profiles
ORDER BY revenue DESC, customer_id
LIMIT 10;
