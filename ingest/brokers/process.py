"""A process that brings events in from another broker, until SIGTERM."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import structlog
import uvloop

from ingest import logs
from ingest.brokers.feed import Feed, Stopped
from ingest.opening import connect
from ingest.service import Service
from schemas.genesis import check_settings
from schemas.mapping import Mapping
from schemas.settings import Settings

GRACE = 20.0
"""Seconds that what is in hand may take once the process is to end."""

say = structlog.get_logger("ingest.brokers")


def run(settings: Settings, mapping: Mapping, bring: Callable[[Feed], Awaitable[None]]) -> None:
    """Let `bring` take what comes, until SIGTERM or SIGINT; CdpError where it cannot."""
    check_settings(settings)
    logs.configure("kafka", "mqtt")
    uvloop.run(_run(settings, mapping, bring))


async def _run(settings: Settings, mapping: Mapping, bring: Callable[[Feed], Awaitable[None]]) -> None:
    stop, service, opened = asyncio.Event(), Service(), AsyncExitStack()
    feed = Feed(settings, service, mapping, stop)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    connected = asyncio.create_task(connect(service, settings, None, opened))
    bringing = asyncio.create_task(_bring(feed, service, bring))
    telling = asyncio.create_task(feed.telling())
    await asyncio.wait((connected, bringing), return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await asyncio.wait((bringing,), timeout=GRACE)
    tasks = bringing, connected, telling
    for task in tasks:
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    await opened.aclose()
    feed.tell()
    say.info("stopped")
    for error in done:
        if isinstance(error, Exception) and not isinstance(error, Stopped):
            raise error


async def _bring(feed: Feed, service: Service, bring: Callable[[Feed], Awaitable[None]]) -> None:
    """Begin once the log is open, unless the process is to end before."""
    waits = [asyncio.create_task(event.wait()) for event in (service.opened, feed.stop)]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    if service.opened.is_set() and not feed.stop.is_set():
        feed.check()
        await bring(feed)
