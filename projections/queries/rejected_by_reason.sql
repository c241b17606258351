-- What was not accepted in the last seven days, by source and reason.
SELECT source, reason, count() AS rejected, max(received_at) AS latest, any(detail) AS example
FROM rejected
WHERE received_at > now64(3) - INTERVAL 7 DAY
GROUP BY source, reason
ORDER BY rejected DESC;
