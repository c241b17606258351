"""`cdp ingest`: the process.

HTTP answers from the first moment; events are taken once Kafka, genesis and the sources are there.
"""

import asyncio
import gc
import logging
import signal
import socket
import sys
import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack

import structlog
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from ingest import definitions
from ingest.app import app
from ingest.doors import Doors
from ingest.following import Following
from ingest.log import Log
from ingest.reporting import Reporting
from ingest.service import Service
from ingest.usage import Tally
from schemas.errors import ConfigError, PortInUse, Unavailable
from schemas.genesis import check_settings
from schemas.settings import Settings
from schemas.topics import SOURCES, USAGE

MAX_WAIT = 10.0
"""Seconds between two attempts to reach Kafka, at most."""
BACKLOG = 1_024
"""Connections that may wait to be taken: a process that starts again meets all its senders at once."""
HEADER_MS = 10_000
"""How long a request's headers may take."""
GARBAGE = 50_000
"""Requests leave next to no cycles; collecting every 700 objects, as Python does, costs a fifth."""

say = structlog.get_logger("ingest.server")


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; CdpError where it cannot."""
    check_settings(settings)
    _configure_logs()
    gc.set_threshold(GARBAGE, 20, 20)
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    _check_port(settings.ingest_host, settings.ingest_port)
    service = Service(settings.trusted_proxies)
    server = Server(
        app(service),
        address=settings.ingest_host,
        port=settings.ingest_port,
        interface=Interfaces.ASGINL,
        backlog=BACKLOG,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MS),
    )
    stop: Callable[[], None] = server.stop
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)
    opened = AsyncExitStack()
    connected = asyncio.create_task(_connect(service, settings, opened))
    serving = asyncio.create_task(server.serve())
    say.info("listening", host=settings.ingest_host, port=settings.ingest_port)
    await asyncio.wait((connected, serving), return_when=asyncio.FIRST_COMPLETED)
    if connected.done():
        stop()
    await serving
    connected.cancel()
    await asyncio.wait((connected,))
    await opened.aclose()
    say.info("stopped")
    if not connected.cancelled():
        connected.result()


async def _connect(service: Service, settings: Settings, opened: AsyncExitStack) -> None:
    """Open the doors, and hear for ever what changes; while Kafka is away at first, try again, and say so once."""
    wait, said = 0.5, False
    while True:
        try:
            following, reporting = await _open(service, settings, opened)
            break
        except Unavailable as error:
            await opened.aclose()
            if not said:
                say.error("kafka unavailable, trying again", error=str(error))
                said = True
            await asyncio.sleep(wait)
            wait = min(wait * 2, MAX_WAIT)
    await asyncio.gather(following.follow(), reporting.run())


async def _open(service: Service, settings: Settings, opened: AsyncExitStack) -> tuple[Following, Reporting]:
    """Everything that is known, and the way into the log; `opened` is closed in the opposite order."""
    rules = definitions.founded(await definitions.read(settings), settings)
    tally = Tally(uuid.uuid4().hex, settings.timezone)
    doors = Doors(rules, settings, tally)
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
    gc.freeze()
    say.info("ready", sources=len(doors), rules=f"{rules.name}/{rules.version}")
    return following, reporting


def _check_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortInUse(
                f"cannot listen: {error.strerror}", f"{host}:{port}", "set CDP_INGEST_PORT"
            ) from None


def _configure_logs() -> None:
    """One JSON line each; libraries that repeat themselves are said once, by us."""
    for name in ("aiokafka", "granian", "_granian", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
