"""`cdp ingest`: the process.

HTTP answers from the first moment; events are taken once Kafka and genesis are there.
"""

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable

import structlog
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from ingest import definitions
from ingest.app import Service, app
from ingest.doors import Doors
from ingest.log import Log
from schemas import sources
from schemas.errors import PortInUse, Unavailable
from schemas.genesis import check_settings
from schemas.settings import Settings
from schemas.sources import Sources

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
    known = sources.load(settings.sources)
    _configure_logs()
    gc.set_threshold(GARBAGE, 20, 20)
    uvloop.run(_serve(settings, known))


async def _serve(settings: Settings, known: Sources) -> None:
    _check_port(settings.ingest_host, settings.ingest_port)
    service = Service()
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
    connecting = asyncio.create_task(_connect(service, settings, known))
    serving = asyncio.create_task(server.serve())
    say.info("listening", host=settings.ingest_host, port=settings.ingest_port)
    await asyncio.wait((connecting, serving), return_when=asyncio.FIRST_COMPLETED)
    if connecting.done() and connecting.exception():
        stop()
    await serving
    if not connecting.done():
        connecting.cancel()
    await asyncio.wait((connecting,))
    if service.log is not None:
        await service.log.stop()
    say.info("stopped")
    if not connecting.cancelled():
        connecting.result()


async def _connect(service: Service, settings: Settings, known: Sources) -> None:
    """Open the doors; while Kafka is away, try again, and say so once."""
    wait, said = 0.5, False
    while True:
        try:
            rules = definitions.founded(await definitions.read(settings), settings)
            log = Log(settings)
            await log.start()
            break
        except Unavailable as error:
            if not said:
                say.error("kafka unavailable, trying again", error=str(error))
                said = True
            await asyncio.sleep(wait)
            wait = min(wait * 2, MAX_WAIT)
    service.doors = Doors(known, rules, settings)
    service.log = log
    gc.freeze()
    say.info("ready", sources=len(known.sources), rules=f"{rules.name}/{rules.version}")


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
