-- Who went silent in the last seven days and still is, the most valuable first.
-- The week ends at the latest logical time, so history that is replayed has its own weeks.
WITH (SELECT max(logical_at) FROM profiles) AS now_at
SELECT
    customer_id,
    identifiers,
    stage_since AS silent_since,
    last_own,
    purchases,
    revenue
FROM profiles
WHERE stage = 'silent' AND stage_since > now_at - INTERVAL 7 DAY
ORDER BY revenue DESC, customer_id
LIMIT 100;
