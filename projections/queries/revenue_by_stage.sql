-- Revenue by present stage, net of refunds, in the deployment's currency.
SELECT
    stage,
    count() AS customers,
    sum(revenue) AS revenue_total,
    round(revenue_total / customers, 2) AS per_customer,
    sum(purchases) AS purchases_total
FROM profiles
GROUP BY stage
ORDER BY revenue_total DESC;
