-- Cohort retention: of the customers whose first purchase was in a month, how many bought again N months later.
WITH
    bought AS (
        SELECT DISTINCT customer_id, toStartOfMonth(first_seen) AS month
        FROM orders
        WHERE is_purchase
    ),
    cohorts AS (SELECT customer_id, min(month) AS cohort FROM bought GROUP BY customer_id)
SELECT
    cohort,
    dateDiff('month', cohort, month) AS months_later,
    count() AS customers,
    round(100 * count() / max(count()) OVER (PARTITION BY cohort), 1) AS percent
FROM bought
INNER JOIN cohorts USING customer_id
GROUP BY cohort, months_later
ORDER BY cohort, months_later;
