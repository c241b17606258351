-- Stage transitions by month of logical time.
SELECT
    toStartOfMonth(effective_at) AS month,
    ifNull(from_stage, '') AS from_stage,
    to_stage,
    count() AS transitions
FROM lifecycle_changes
GROUP BY month, from_stage, to_stage
ORDER BY month, from_stage, to_stage;
