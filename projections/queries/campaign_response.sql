-- Campaigns: messages delivered, opened and clicked, by campaign.
SELECT
    JSONExtractString(properties, 'campaign_id') AS campaign,
    countIf(name = 'Message Sent') AS sent,
    countIf(name = 'Message Delivered') AS delivered,
    uniqExactIf(customer_id, name = 'Message Opened') AS opened_by,
    uniqExactIf(customer_id, name = 'Message Clicked') AS clicked_by
FROM events
WHERE startsWith(name, 'Message ')
GROUP BY campaign
ORDER BY sent DESC, campaign;
