"""`cdp ingest`: the process.

HTTP answers from the first moment; events are taken once Kafka, genesis and the sources are there.
"""

import asyncio
import gc
import signal
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack

import structlog
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from ingest import logs
from ingest.app import app
from ingest.enrichment.geo import Geo
from ingest.opening import connect
from ingest.service import Service
from schemas.errors import PortInUse
from schemas.genesis import check_settings
from schemas.settings import Settings

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
    logs.configure("granian", "_granian")
    gc.set_threshold(GARBAGE, 20, 20)
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    geo = Geo(settings.geo) if settings.geo else None
    _check_port(settings.ingest_host, settings.ingest_port)
    service = Service(settings.trusted_proxies, settings.secrets)
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
    connected = asyncio.create_task(connect(service, settings, geo, opened))
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


def _check_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortInUse(
                f"cannot listen: {error.strerror}", f"{host}:{port}", "set CDP_INGEST_PORT"
            ) from None
