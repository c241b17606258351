-- Who customers are: segments, roles, tags and tiers of value, with how many customers each has, and their share.
SELECT
    kind,
    name,
    value,
    count() AS customers,
    round(100 * count() / (SELECT count() FROM profiles), 1) AS percent
FROM portraits
GROUP BY kind, name, value
ORDER BY indexOf(['segment', 'role', 'value', 'tag'], kind), name, customers DESC, value;
