"""From the rows of a broker into the log, for as long as that takes: what a broker is told to forget is there.

While the log, or a limit of the source, takes nothing, nothing more is taken from the broker.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import replace

import structlog

from ingest.brokers.rows import MAX_ROW, Given, parts, taken
from ingest.canonical import Arrival
from ingest.log import Overloaded
from ingest.mapping import compiled
from ingest.problems import Problem, overloaded, unavailable
from ingest.service import Service
from ingest.taking import put
from schemas.errors import ConfigError, Unavailable
from schemas.mapping import Mapping
from schemas.settings import Settings

AGAIN = 1.0
"""Seconds until what was not taken is offered again: a limit may be lifted long before its own time."""
TELL_SECONDS = 10.0
"""How often is said how far this is, where that has changed."""

say = structlog.get_logger("ingest.brokers")


class Stopped(Exception):
    """The process ends, and what it was to take is not in the log."""


class Feed:
    """One mapping's way into the log; `stop` is set when the process is to end."""

    def __init__(self, settings: Settings, service: Service, mapping: Mapping, stop: asyncio.Event) -> None:
        if mapping.source is None:
            raise ConfigError("the mapping does not say whose events these are", mapping.name, "source: NAME")
        self.settings, self.mapping, self.source, self.stop = settings, mapping, mapping.source, stop
        self.events = self.rejected = 0
        self._service, self._mapped = service, compiled(mapping, settings.timezone)
        self._held = ""
        self._told = dict[str, int]()
        self.waiting: Callable[[], dict[str, int]] = dict
        """What is still to come, as far as that is known; asked whenever it is told how far this is."""

    def check(self) -> None:
        """ConfigError where there is no such source, or it is disabled: now nobody waits for it."""
        assert self._service.doors is not None
        try:
            self._service.doors.of(self.source)
        except Problem as problem:
            raise ConfigError(
                problem.message, self.source, "cdp sources add, or cdp sources enable"
            ) from None

    async def take(self, batch: list[Given]) -> None:
        """Return when the log has all that becomes of these records; Stopped where it may not."""
        for part in parts(batch):
            while problem := await self._refused(part):
                if problem.code != self._held:
                    say.error("nothing is taken now", source=self.source, reason=problem.message)
                    self._held = problem.code
                await self.rest(AGAIN)
                if self.stop.is_set():
                    raise Stopped
            if self._held:
                say.info("taking again", source=self.source)
                self._held = ""

    async def rest(self, seconds: float) -> None:
        """Wait so long, or until the process is to end."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), seconds)

    def tell(self) -> None:
        """Say how far this is, where anything has come and that has changed."""
        now = {"events": self.events, "rejected": self.rejected, **self.waiting()}
        if now != self._told and any(now.values()):
            say.info("taken", source=self.source, **now)
            self._told = now

    async def telling(self) -> None:
        """Say so every few seconds, whether anything comes or not, until the process is to end."""
        while not self.stop.is_set():
            await self.rest(TELL_SECONDS)
            self.tell()

    async def _refused(self, part: list[Given]) -> Problem | None:
        """What keeps the log from taking these now; None where it has them."""
        service, now = self._service, time.time_ns() // 1_000_000
        assert service.doors is not None
        try:
            door = service.doors.of(self.source)
            door.limits.take(len(part), now)
            desk = replace(door.desk, enrich=None, most=MAX_ROW)
            accepted = taken(part, self._mapped, desk, Arrival(now, next(service.ids)))
            await put(service, door, accepted, now)
        except Problem as problem:
            return problem
        except Overloaded:
            return overloaded()
        except Unavailable:
            return unavailable()
        self.events += len(accepted.events)
        self.rejected += len(accepted.refused)
        return None
