-- Whom to keep, whom to let go: customers of each tier of value by stage, and what they brought.
SELECT
    if(tier = '', '-', tier) AS tier,
    sumIf(customers, stage IN ('prospect', 'responder')) AS not_yet,
    sumIf(customers, stage = 'new') AS new,
    sumIf(customers, stage = 'mature') AS mature,
    sumIf(customers, stage = 'silent') AS silent,
    sumIf(customers, stage = 'churned') AS churned,
    sum(revenue) AS revenue_total,
    sumIf(revenue, stage IN ('silent', 'churned')) AS revenue_of_silent_and_churned
FROM stage_by_tier
GROUP BY tier
ORDER BY max(least_points) DESC;
