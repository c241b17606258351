"""Opening the doors of ingest: what is known first, then the way into the log; and hearing for ever what changes."""

import asyncio
import gc
import uuid
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack

import structlog

from ingest import definitions
from ingest.answering import answering
from ingest.doors import Doors
from ingest.enrichment.geo import Geo
from ingest.enrichment.registry import enriching
from ingest.following import Following
from ingest.log import Log
from ingest.plan import of_record
from ingest.reporting import Reporting
from ingest.service import Service
from ingest.usage import Tally
from schemas.errors import ConfigError, Unavailable
from schemas.settings import Settings
from schemas.topics import SOURCES, USAGE

MAX_WAIT = 10.0
"""Seconds between two attempts to reach Kafka, at most."""

say = structlog.get_logger("ingest.opening")


async def connect(service: Service, settings: Settings, geo: Geo | None, opened: AsyncExitStack) -> None:
    """Open the doors, and hear for ever what changes; `opened` closes what was opened, in the opposite order.

    While Kafka is away at first, try again, and say so once. CdpError where it is of no use.
    """
    wait, said = 0.5, False
    while True:
        try:
            lasting = await _open(service, settings, geo, opened)
            break
        except Unavailable as error:
            await opened.aclose()
            if not said:
                say.error("kafka unavailable, trying again", error=str(error))
                said = True
            await asyncio.sleep(wait)
            wait = min(wait * 2, MAX_WAIT)
    async with answering(settings, None):
        await asyncio.gather(*(each() for each in lasting))


async def _open(
    service: Service, settings: Settings, geo: Geo | None, opened: AsyncExitStack
) -> list[Callable[[], Coroutine[None, None, None]]]:
    """Learn everything that is known, and connect; what then has to be kept going."""
    rules = definitions.founded(await definitions.read(settings), settings)
    tally = Tally(uuid.uuid4().hex, settings.timezone)
    doors = Doors(rules, settings, tally, enriching(geo), of_record)
    following = Following(settings, {SOURCES: doors.apply, USAGE: tally.apply})
    opened.push_async_callback(following.stop)
    await following.start()
    if not len(doors):
        raise ConfigError("no source may send yet", SOURCES.name(settings.namespace), "run `cdp init` again")
    reporting = Reporting(settings, tally)
    await reporting.start()
    opened.push_async_callback(reporting.stop)
    log = Log(settings)
    await log.start()
    opened.push_async_callback(log.stop)
    service.doors, service.log = doors, log
    service.opened.set()
    gc.freeze()
    say.info("ready", sources=len(doors), rules=f"{rules.name}/{rules.version}")
    return [following.follow, reporting.run, log.run]
