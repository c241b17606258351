-- Stage funnel: how many customers ever reached each stage, and how many are in it now.
-- A customer that was merged reached its stages as the one it is at present, and is in none itself.
SELECT
    stage,
    uniqExact(current_customer_id) AS ever,
    uniqExactIf(customer_id, valid_to IS NULL AND customer_id = current_customer_id) AS now
FROM lifecycle_periods
GROUP BY stage
ORDER BY indexOf(['prospect', 'responder', 'new', 'mature', 'silent', 'churned'], stage);
