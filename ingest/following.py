"""Topics of one partition, read whole and then followed: what their newest records say holds here too."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from ingest.answering import answering
from schemas.clients import check, stop
from schemas.errors import ConfigError, Unavailable
from schemas.settings import Settings
from schemas.topics import Topic

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
"""For all that a topic has: without it nothing is known."""
AGAIN_SECONDS = 1.0
Apply = Callable[[str, bytes | None], None]
"""Told the key and the value of a record, None where it was deleted; ValueError where it makes no sense of it."""
Records = dict[tuple[str, str], bytes | None]
"""The newest value of each topic's name and key."""

say = structlog.get_logger("ingest.following")


class Following:
    """Hands each record to its topic's `apply`: `start` all that is there, the newest of each key, `follow` the rest.

    While Kafka is away nothing is heard, and what was applied goes on holding.
    """

    def __init__(self, settings: Settings, apply: Mapping[Topic, Apply]) -> None:
        self._settings = settings
        self._apply = {topic.name(settings.namespace): each for topic, each in apply.items()}
        self._consumer: AIOKafkaConsumer | None = None

    async def start(self) -> None:
        """Apply all that is there; Unavailable where Kafka does not answer, ConfigError where a topic is missing."""
        self._consumer, records = await _whole(self._settings, list(self._apply))
        # The latest keys first: of a plan's versions the greatest is the only one that need be compiled.
        self._hear(dict(reversed(records.items())))

    async def follow(self) -> None:
        """Apply what comes, within moments, for ever."""
        while True:
            assert self._consumer is not None
            try:
                check(self._consumer)
                async with answering(self._settings, READ_SECONDS):
                    found = await self._consumer.getmany(timeout_ms=1_000)
            except Unavailable as error:
                say.error("cannot follow, reading again", error=str(error))
                await self._again()
                continue
            self._hear({
                (place.topic, _text(record.key)): record.value
                for place, records in found.items()
                for record in records
            })  # fmt: skip

    async def stop(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            await stop(self._consumer)

    async def _again(self) -> None:
        """Everything anew: older records of a key must not hold again, not even for a moment."""
        await self.stop()
        while True:
            await asyncio.sleep(AGAIN_SECONDS)
            try:
                await self.start()
            except Unavailable:
                continue
            say.info("following again")
            return

    def _hear(self, records: Records) -> None:
        for (topic, key), value in records.items():
            try:
                self._apply[topic](key, value)
            except ValueError as error:  # of another version than ours, or of nobody of ours
                say.error("record not understood", topic=topic, key=key, error=type(error).__name__)


async def _whole(settings: Settings, topics: list[str]) -> tuple[AIOKafkaConsumer, Records]:
    """A consumer at the end of these topics, and all that is before it."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    try:
        async with answering(settings, CONNECT_SECONDS):
            await consumer.start()
            _check_there(topics, await consumer.topics())
        async with answering(settings, READ_SECONDS):
            return consumer, await read_whole(consumer, topics)
    except BaseException:
        await stop(consumer)
        raise


def _check_there(topics: list[str], there: Iterable[str]) -> None:
    for missing in set(topics) - set(there):
        raise ConfigError("this deployment lacks a topic", missing, "run `cdp init`: it adds what is missing")


async def read_whole(consumer: AIOKafkaConsumer, topics: list[str]) -> Records:
    """Read topics of one partition from the beginning to what is their end now, as committed."""
    places = [TopicPartition(topic, 0) for topic in topics]
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    ends: dict[TopicPartition, int] = await consumer.end_offsets(places)
    found: Records = {}
    for place, end in ends.items():
        while await consumer.position(place) < end:
            for records in (await consumer.getmany(place, timeout_ms=500)).values():
                found.update({(place.topic, _text(record.key)): record.value for record in records})
    return found


def _text(key: bytes | None) -> str:
    return (key or b"").decode(errors="replace")
