"""What is asked of Kafka while it may be away: an answer in time, or Unavailable."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.errors import KafkaError

from schemas.clients import within
from schemas.errors import Unavailable
from schemas.settings import Settings


@asynccontextmanager
async def answering(settings: Settings, seconds: float | None) -> AsyncIterator[None]:
    """Let what is awaited in here take so many seconds, or for ever; Unavailable where Kafka does not answer."""
    try:
        async with within(seconds):
            yield
    except (KafkaError, OSError) as error:
        raise Unavailable(f"Kafka does not answer: {type(error).__name__}", settings.kafka) from None
