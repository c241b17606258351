"""What is asked of Kafka while it may be away: an answer in time, or Unavailable."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.clients import within
from schemas.errors import Unavailable
from schemas.settings import Settings

STOP_SECONDS = 5.0

say = structlog.get_logger("ingest.kafka")


@asynccontextmanager
async def answering(settings: Settings, seconds: float | None) -> AsyncIterator[None]:
    """Let what is awaited in here take so many seconds, or for ever; Unavailable where Kafka does not answer."""
    try:
        async with within(seconds):
            yield
    except (KafkaError, OSError) as error:
        raise Unavailable(f"Kafka does not answer: {type(error).__name__}", settings.kafka) from None


async def stop(client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
    """Stop a client; one whose Kafka is away would take for ever, and is left."""
    try:
        async with within(STOP_SECONDS):
            await client.stop()
    except (KafkaError, OSError) as error:
        say.info("a Kafka client was left", error=type(error).__name__)
