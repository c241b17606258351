-- Customers by present stage, with their share.
SELECT
    stage,
    count() AS customers,
    round(100 * count() / sum(count()) OVER (), 1) AS percent
FROM profiles
GROUP BY stage
ORDER BY indexOf(['prospect', 'responder', 'new', 'mature', 'silent', 'churned'], stage);
