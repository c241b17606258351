-- The demo's orders, whatever else the platform holds, before refunds.
SELECT count() AS orders, uniqExact(customer_id) AS customers, sum(amount) AS revenue, min(first_seen) AS first
FROM orders
WHERE source = %(source)s AND startsWith(order_id, %(ids)s) AND currency = %(currency)s;
