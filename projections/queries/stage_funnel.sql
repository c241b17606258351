-- Stage funnel: how many customers ever reached each stage, and how many are in it now.
SELECT
    stage,
    uniqExact(customer_id) AS ever,
    uniqExactIf(customer_id, valid_to IS NULL) AS now
FROM lifecycle_periods
GROUP BY stage
ORDER BY indexOf(['prospect', 'responder', 'new', 'mature', 'silent', 'churned'], stage);
