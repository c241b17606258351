"""Tells the other processes what this one took: its counts into `cdp.usage.v1`, about every second.

A process that is killed takes what it counted since with it: a quota may be passed by a second's worth.
"""

import asyncio
import contextlib

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from ingest.usage import Tally
from schemas.errors import Unavailable
from schemas.settings import Settings
from schemas.topics import USAGE

EVERY_SECONDS = 1.0
PATIENCE = 5.0

say = structlog.get_logger("ingest.reporting")


class Reporting:
    """Writes a tally's counts: `start` it once, `run` for ever, `stop` writes the last."""

    def __init__(self, settings: Settings, tally: Tally) -> None:
        self._settings, self._tally = settings, tally
        self._silent = False
        # Not idempotent: a count may be written twice, and a gap in sequence numbers would end the producer.
        self._producer = AIOKafkaProducer(
            bootstrap_servers=settings.kafka, acks="all", enable_idempotence=False, request_timeout_ms=10_000
        )

    async def start(self) -> None:
        """Connect; Unavailable where Kafka does not answer."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._producer.start()
        except (KafkaError, OSError, TimeoutError) as error:
            await self._close()
            raise Unavailable(
                f"Kafka does not answer: {type(error).__name__}", self._settings.kafka
            ) from None

    async def run(self) -> None:
        """Write what was counted, each second; what Kafka does not take is written with the next."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self._write()

    async def stop(self) -> None:
        """Write the last counts, within `PATIENCE`, and disconnect."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._write()
        await self._close()

    async def _write(self) -> None:
        records = self._tally.unwritten()
        try:
            topic = USAGE.name(self._settings.namespace)
            sent = [
                await self._producer.send(topic, value, key.encode(), partition=0)
                for key, value in records.items()
            ]
            await asyncio.gather(*sent)
        except (KafkaError, OSError) as error:
            self._tally.write_again(set(records))
            if not self._silent:
                say.error("usage is not written", error=type(error).__name__)
            self._silent = True
        else:
            if self._silent and records:
                say.info("usage is written again")
                self._silent = False

    async def _close(self) -> None:
        """A producer whose Kafka is away would wait for ever."""
        with contextlib.suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._producer.stop()
