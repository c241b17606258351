"""Synthetic messages of Segment's SDKs, drawn by a seed: labelled so by their shop, which is nobody's. Pure."""

import random
import uuid
from typing import Any

CUSTOMERS = 50_000
AGENTS = [
    *(
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{n}.0) Gecko/20100101 Firefox/{n}.0"
        for n in range(100, 140)
    ),
    *(f"Mozilla/5.0 (Linux; Android 14; K) Chrome/{n}.0.0.0 Mobile Safari/537.36" for n in range(100, 140)),
]
REFERRERS = ("", "https://www.google.com/", "https://shop.example/", "https://l.facebook.com/")
NAMES = ("Product Viewed", "Product Added", "Product Clicked", "Video Played", "Visit")


def customer(drawn: random.Random) -> int:
    """The number of a customer: a few are active, most are not."""
    return int(CUSTOMERS ** drawn.random())


def message(drawn: random.Random, number: int) -> dict[str, Any]:
    """What segment-analytics-python sends for a track."""
    return {
        "type": "track",
        "event": drawn.choice(NAMES),
        "userId": f"user-{customer(drawn)}",
        "anonymousId": None,
        "messageId": str(uuid.UUID(int=drawn.getrandbits(128), version=4)),
        "timestamp": f"2026-09-21T14:13:20.{drawn.randrange(10**6):06}+00:00",
        "properties": {
            "product_id": f"sku-{number % 1_000}",
            "price": 19.99,
            "category": "music",
            "quantity": 1,
        },
        "context": {"library": {"name": "analytics-python", "version": "2.3.3"}},
        "integrations": {},
    }


def browsed(drawn: random.Random, number: int) -> dict[str, Any]:
    """The same as a browser's SDK sends it: what enrichment reads is in its context."""
    search = "?utm_source=news&utm_campaign=spring" if drawn.random() < 0.2 else ""
    page = {
        "url": f"https://shop.example/products/{number % 2_000}{search}",
        "path": f"/products/{number % 2_000}",
        "referrer": drawn.choice(REFERRERS),
        "search": search,
        "title": "Shop",
    }
    context = {
        "library": {"name": "analytics.js", "version": "next-1.70.0"},
        "locale": "en-GB",
        "page": page,
        "timezone": "Europe/London",
        "userAgent": drawn.choice(AGENTS),
    }
    return {**message(drawn, number), "context": context}
