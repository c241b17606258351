"""Send a first event with Segment's own SDK."""

import segment.analytics as analytics

analytics.write_key = "local-shop-write-key"
analytics.host = "http://127.0.0.1:8080"

analytics.identify("ada", {"email": "ada@example.org", "plan": "gold"})
analytics.track("ada", "Account Followed", {"network": "instagram"})
analytics.track("ada", "Order Completed", {"order_id": "A-1", "total": "49.90", "currency": "USD"})
analytics.shutdown()
