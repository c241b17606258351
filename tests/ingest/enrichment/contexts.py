"""Contexts as browsers send them, and what becomes of one."""

from typing import Any

from ingest.canonical import Arrival
from ingest.enrichment.geo import Geo
from ingest.enrichment.registry import enricher
from schemas.sources import Enrichment
from tests.ingest.desks import NOW

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
OFF = Enrichment(agent=False, campaign=False, referrer=False, bots=False, ip="keep", geo=False)


def page(url: str = "https://shop.example/", referrer: str = "", **more: Any) -> dict[str, Any]:
    """The context of a page."""
    return {"page": {"url": url, "path": "/", "referrer": referrer, "search": "", "title": "Shop"}, **more}


def enriched(
    context: dict[str, Any],
    asked: Enrichment | None = None,
    channel: str = "web",
    agent: str = "",
    ip: str = "",
    geo: Geo | None = None,
) -> dict[str, Any]:
    """The context that the log gets."""
    return with_mark(context, asked, channel, agent, ip, geo)[0]


def with_mark(
    context: dict[str, Any],
    asked: Enrichment | None = None,
    channel: str = "web",
    agent: str = "",
    ip: str = "",
    geo: Geo | None = None,
) -> tuple[dict[str, Any], bool]:
    """The context that the log gets, and whether a bot sent it."""
    enrich = enricher(asked or Enrichment(), channel, geo)
    assert enrich is not None
    return enrich(context, Arrival(NOW, "request", agent=agent, ip=ip))
