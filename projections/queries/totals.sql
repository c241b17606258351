-- Totals: customers, events, orders and revenue by currency, from the events themselves.
SELECT
    (SELECT count() FROM profiles) AS customers,
    (SELECT count() FROM events) AS events,
    count() AS orders,
    countIf(is_purchase) AS purchases,
    uniqExactIf(customer_id, is_purchase) AS buyers,
    currency,
    sum(amount) AS gross,
    sum(refunded) AS refunded_total,
    sum(net) AS revenue
FROM orders
GROUP BY currency
ORDER BY revenue DESC;
