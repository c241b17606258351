"""Tells the other processes what this one took: its counts into `cdp.usage.v1`, about every second.

A process that is killed takes what it counted since with it: a quota may be passed by a second's worth.
"""

import asyncio
from collections.abc import Mapping

import structlog
from aiokafka import AIOKafkaProducer

from ingest.answering import answering
from ingest.usage import Tally
from schemas.clients import stop
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
        self._producer: AIOKafkaProducer | None = None
        self._silent = False

    async def start(self) -> None:
        """Connect; Unavailable where Kafka does not answer."""
        # Not idempotent: a count may be written twice, and a gap in sequence numbers would end the producer.
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._settings.kafka,
            acks="all",
            enable_idempotence=False,
            request_timeout_ms=10_000,
        )
        try:
            async with answering(self._settings, PATIENCE):
                await self._producer.start()
        except Unavailable:
            await self._leave()
            raise

    async def run(self) -> None:
        """Write what was counted, each second; what Kafka does not take is written with the next."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self._report()

    async def stop(self) -> None:
        """Write the last counts, within `PATIENCE`, and disconnect."""
        await self._report()
        await self._leave()

    async def _report(self) -> None:
        """A producer that did not write is left: not each of them gets over what kept it."""
        records = self._tally.unwritten()
        try:
            await self._write(records)
        except Unavailable as error:
            self._tally.write_again(set(records))
            await self._leave()
            if not self._silent:
                say.error("usage is not written", error=str(error))
            self._silent = True
        else:
            if self._silent and records:
                say.info("usage is written again")
                self._silent = False

    async def _write(self, records: Mapping[str, bytes]) -> None:
        if self._producer is None:
            await self.start()
        assert self._producer is not None
        topic = USAGE.name(self._settings.namespace)
        async with answering(self._settings, PATIENCE):
            sent = [
                await self._producer.send(topic, value, key.encode(), partition=0)
                for key, value in records.items()
            ]
            await asyncio.gather(*sent)

    async def _leave(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop(producer)
