"""The enrichers, in their order, and the one function that a source's are.

    source -> enricher(asked, channel, geo) -> Enrich | None

A step adds to a context of its own what that lacks. What the sender stated is never replaced, but for an address that
is not to be kept whole. A step takes whatever a sender may send, and never fails.
"""

from collections.abc import Callable

from ingest.canonical import Arrival, Enrich
from ingest.enrichment import addresses, agents, bots, campaign, referrer
from ingest.enrichment.geo import Geo
from ingest.shapes import Fields
from schemas.event import Channel
from schemas.sources import Enrichment, Source

Step = Callable[[Fields, str, str], None]
"""(context, user agent, address), the last two cut to what is read of them, and empty where unknown."""
DIRECT = frozenset((Channel.WEB, Channel.MOBILE))
"""Channels whose requests come from the customer's own browser or app, so that their headers tell of it."""


def enricher(asked: Enrichment, channel: str, geo: Geo | None = None) -> Enrich | None:
    """What adds to the events of a source what is asked for; None where that is nothing."""
    direct = channel in DIRECT
    steps = _steps(asked, geo, direct)
    is_bot = bots.detector(channel) if asked.bots else None
    if not steps and is_bot is None:
        return None

    def enrich(context: Fields, arrival: Arrival) -> tuple[Fields, bool]:
        context = dict(context)
        agent, ip = context.get("userAgent"), context.get("ip")
        if not agent and direct:
            agent = arrival.agent
        if not ip and direct:
            ip = arrival.ip
        agent = agent[: agents.LONGEST] if type(agent) is str else ""
        ip = ip[: addresses.LONGEST] if type(ip) is str else ""
        for step in steps:
            step(context, agent, ip)
        return context, agent != "" and is_bot is not None and is_bot(agent)

    return enrich


def enriching(geo: Geo | None) -> Callable[[Source], Enrich | None]:
    """What gives each source its enricher."""
    return lambda source: enricher(source.enrichment, source.channel, geo)


def _steps(asked: Enrichment, geo: Geo | None, direct: bool) -> tuple[Step, ...]:
    steps = list[Step]()
    if asked.agent:
        agents.read("")  # its engine takes a tenth of a second to load: now, and not with the first event
        steps.append(agents.add)
    if asked.campaign:
        steps.append(campaign.add)
    if asked.referrer:
        steps.append(referrer.add)  # after the campaign, which is one of its classes
    if asked.geo and geo is not None:
        steps.append(geo.add)
    if asked.ip != "keep" or direct:
        steps.append(addresses.STEPS[asked.ip])
    return tuple(steps)
