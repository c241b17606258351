"""`cdp pull`: the events of somebody else's Kafka into the log.

    poll -> map -> accept -> log -> commit

Offsets are committed once the log has the events: killed anywhere, what was not committed is read again, as the same
messageIds. The consumer lives in a thread of its own; records wait there, not here.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import structlog
from kafka import KafkaConsumer, OffsetAndMetadata
from kafka.errors import CommitFailedError, KafkaError, KafkaTimeoutError

from ingest.brokers import own, records
from ingest.brokers.feed import Feed
from ingest.brokers.login import password, trust
from ingest.brokers.lost import CLOSED, Lost
from schemas.brokers import Kafka
from schemas.errors import ConfigError

MAX_RECORDS = 2_000
"""Records that are taken together."""
FETCH_BYTES = 8 * 1024 * 1024
"""Bytes that a broker hands over at once."""
POLL_MS = 500
PATIENCE_MS = 10_000
SESSION_MS = 10_000
"""After a kill its successor waits so long, unless it has the same CDP_INSTANCE."""
MAX_WAIT = 30.0
REFUSED = "perhaps it refuses the user or the password: some clusters just hang up"

say = structlog.get_logger("ingest.brokers")
Answer = TypeVar("Answer")


class Thread:
    """The one thread in which the consumer lives."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "pull")

    async def run(self, work: Callable[..., Answer], *given: Any) -> Answer:
        """What this gives, in that thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(work, *given))


async def bring(feed: Feed) -> None:
    """Take what the topics have until the process is to end; ConfigError where none, or what is ours, is named."""
    cluster = feed.mapping.kafka
    if cluster is None:
        raise ConfigError(
            "the mapping does not say which cluster", feed.mapping.name, "kafka: {servers, topics}"
        )
    options, thread, lost = _options(feed, cluster), Thread(), Lost().listen()
    wait, said = 0.5, set[str]()
    while not feed.stop.is_set():
        consumer, lost.reason = None, ""
        try:
            await thread.run(own.check, feed.settings, cluster.topics, options)
            consumer = await thread.run(_joined, cluster, options)
            say.info("connected", servers=",".join(cluster.servers), group=options["group_id"])
            wait, said = 0.5, set()
            await _take(feed, consumer, thread)
        except KafkaError as error:
            reason = (lost.reason if isinstance(error, KafkaTimeoutError) else "") or str(error)
            if reason not in said:
                hint = {"hint": REFUSED} if cluster.user and CLOSED in reason else {}
                servers = ",".join(cluster.servers)
                say.error("cannot read, trying again", servers=servers, reason=reason[:300], **hint)
                said.add(reason)
            await feed.rest(wait)
            wait = min(wait * 2, MAX_WAIT)
        finally:
            if consumer is not None:
                await thread.run(partial(consumer.close, autocommit=False))


async def _take(feed: Feed, consumer: Any, thread: Thread) -> None:
    """What the topics have, in order, until the process is to end."""
    while not feed.stop.is_set():
        batch, positions, lag = await thread.run(_poll, consumer)
        feed.waiting = partial(dict[str, int], lag=lag)
        if batch:
            await feed.take([records.given(feed.mapping.name, record) for record in batch])
            try:
                await thread.run(consumer.commit, positions)
            except (
                CommitFailedError
            ):  # the group was divided anew: who has the partition now reads these again
                say.warning("a commit came too late", source=feed.source)


def _poll(consumer: Any) -> tuple[list[Any], dict[Any, OffsetAndMetadata], int]:
    """The next records, the positions after them, and how many the topics have beyond.

    Positions, not the last record's offset: a transaction's end takes an offset too.
    """
    polled = consumer.poll(POLL_MS, max_records=MAX_RECORDS)
    batch = [record for found in polled.values() for record in found]
    now = {place: consumer.position(place, timeout_ms=1_000) or 0 for place in consumer.assignment()}
    positions = {place: OffsetAndMetadata(now[place], "", -1) for place in polled}
    ends = _ends(consumer, list(now))
    return batch, positions, sum(max(0, ends[place] - position) for place, position in now.items())


def _ends(consumer: Any, places: list[Any]) -> dict[Any, int]:
    """Where partitions end, as the last answer of a broker said; where there was none yet, it is asked."""
    ends = {place: consumer.highwater(place) for place in places}
    unknown = [place for place, end in ends.items() if end is None]
    return ends | (consumer.end_offsets(unknown) if unknown else {})


def _joined(cluster: Kafka, options: dict[str, Any]) -> Any:
    """A member of the group; KafkaError where the cluster is away, or lacks a topic."""
    consumer = KafkaConsumer(*cluster.topics, **options)
    try:
        _check(consumer, cluster.topics)
    except BaseException:
        consumer.close(autocommit=False)
        raise
    return consumer


def _check(consumer: Any, topics: tuple[str, ...]) -> None:
    """One that is not there would be waited for unseen."""
    for topic in topics:
        if not consumer.partitions_for_topic(topic):
            raise KafkaError(f"there is no topic {topic}, or we may not read it")


def _options(feed: Feed, cluster: Kafka) -> dict[str, Any]:
    """How to connect, and as whom."""
    context = None if cluster.tls is None else trust(cluster.tls)
    options: dict[str, Any] = {
        "bootstrap_servers": list(cluster.servers),
        "group_id": cluster.group or f"{feed.settings.namespace}-{feed.mapping.name}",
        "group_instance_id": feed.settings.instance or None,
        "client_id": f"{feed.settings.namespace}-pull",
        "auto_offset_reset": cluster.start,
        "enable_auto_commit": False,
        "isolation_level": "read_committed",
        "allow_auto_create_topics": False,
        "max_poll_records": MAX_RECORDS,
        "fetch_max_bytes": FETCH_BYTES,
        "session_timeout_ms": SESSION_MS,
        "bootstrap_timeout_ms": PATIENCE_MS,
        "reconnect_backoff_max_ms": 5_000,
        "ssl_context": context,
        "security_protocol": ("SASL_" if cluster.user else "") + ("PLAINTEXT" if context is None else "SSL"),
    }
    if cluster.user:
        options |= {
            "sasl_mechanism": cluster.mechanism,
            "sasl_plain_username": cluster.user,
            "sasl_plain_password": password(feed, "kafka_password"),
        }
    return options
