"""One projection's loop: the shell around `batch.make`."""

import threading
import time

import structlog
from clickhouse_driver import Client, errors
from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError

from projections import batch, metrics, store
from projections.connect import LOST, connect, reason, retried, where
from projections.decode import compiled
from projections.table import Made, Projection, Record
from schemas.errors import TopicMismatch, Unavailable
from schemas.settings import Settings

log = structlog.get_logger()
MAX_ROWS = 10_000
LINGER = 0.1
"""Seconds that a batch waits for more records: what freshness pays for fewer, larger inserts."""
PATIENCE = 60.0
RETRY = 0.5
"""Seconds between two attempts to read a log that is away."""
Offsets = dict[TopicPartition, OffsetAndMetadata]


class Loop:
    """One projection, its consumer and its client; used by one thread."""

    def __init__(self, settings: Settings, projection: Projection, stop: threading.Event) -> None:
        self.settings, self.projection, self.stop = settings, projection, stop
        self.log = log.bind(projection=projection.name)
        self.client: Client = connect(settings)
        self.committed: Offsets = {}
        self.kafka_away = False

    def run(self) -> None:
        """Until stopped. Unavailable where the servers are away at the start for longer than PATIENCE."""
        with self.client:
            group = retried(self.settings, self._group, PATIENCE)
            self.consumer = consumer(self.settings, self.projection, group)
            self.log.info("sink_started", group=group)
            try:
                self._work()
            finally:
                self.consumer.close(autocommit=False)

    def _work(self) -> None:
        while not self.stop.is_set():
            records, offsets = self._gather()
            if records and not self._store(records):
                return  # stopped before the batch was stored: nothing is committed
            self._commit(offsets)

    def _group(self) -> str:
        return store.group_of(self.client, self.projection, self.settings.namespace)

    def _gather(self) -> tuple[list[Record], Offsets]:
        """The records of LINGER seconds, or MAX_ROWS, and the positions after them.

        Positions, not the last record's offset: a transaction's end takes an offset too.
        """
        records: list[Record] = []
        end, wait = 0.0, 0.25
        while len(records) < MAX_ROWS and wait > 0 and not self.stop.is_set():
            for found in self._poll(max(1, int(wait * 1000)), MAX_ROWS - len(records)).values():
                records += found
            if not records:
                break
            end = end or time.monotonic() + LINGER
            wait = end - time.monotonic()
        positions = {assigned: self._position(assigned) for assigned in self.consumer.assignment()}
        return records, {p: OffsetAndMetadata(at, "", -1) for p, at in positions.items() if at is not None}

    def _position(self, assigned: TopicPartition) -> int | None:
        """Where this partition is; None where that is still to be asked of Kafka, and it does not answer."""
        try:
            position: int | None = self.consumer.position(assigned, timeout_ms=1_000)
        except KafkaError as error:
            if not error.retriable:
                raise
            return None
        return position

    def _poll(self, timeout_ms: int, most: int | None = None) -> dict[TopicPartition, list[Record]]:
        """What arrived; nothing while Kafka is away, which is said once. What was polled before is not given up."""
        try:
            polled: dict[TopicPartition, list[Record]] = self.consumer.poll(timeout_ms, max_records=most)
        except KafkaError as error:
            if not error.retriable:
                raise
            if not self.kafka_away:
                self.log.warning("kafka_unreachable", where=self.settings.kafka, error=reason(error))
            self.kafka_away = True
            self.stop.wait(RETRY)
            return {}
        if self.kafka_away and polled:
            self.kafka_away = False
            self.log.info("kafka_recovered", where=self.settings.kafka)
        return polled

    def _store(self, records: list[Record]) -> bool:
        """Insert the batch, the same rows again until ClickHouse has them; False when stopped before."""
        made = batch.make(self.projection, records)
        for bad in made.unreadable:
            place = f"{bad.record.topic}/{bad.record.partition}/{bad.record.offset}"
            self.log.warning("record_unreadable", place=place, detail=bad.detail)
        delay, said = 0.1, False
        while not self._inserted(made, said):
            said = True
            if self._wait(delay):
                return False
            delay = min(delay * 2, 5.0)
        if said:
            self.consumer.resume(*self.consumer.paused())
            self.log.info("clickhouse_recovered", where=where(self.settings))
        return True

    def _inserted(self, made: Made, said: bool) -> bool:
        start = time.perf_counter()
        try:
            rows = store.insert_all(self.client, self.projection, made)
        except (*LOST, errors.ServerException) as error:
            self.client.disconnect()
            if not said:
                self.log.warning("clickhouse_unreachable", where=where(self.settings), error=reason(error))
            return False
        metrics.stored(self.projection.name, rows, len(made.unreadable), time.perf_counter() - start)
        return True

    def _wait(self, seconds: float) -> bool:
        """Stay a member of the group without taking more records; True when stopped."""
        self.consumer.pause(*self.consumer.assignment())
        for assigned, found in self._poll(0).items():  # a partition that came just now
            self.consumer.seek(assigned, found[0].offset)
        return self.stop.wait(seconds)

    def _commit(self, offsets: Offsets) -> None:
        """Remember how far the tables are; what is not remembered is written again, to no effect."""
        new = {place: at for place, at in offsets.items() if self.committed.get(place) != at}
        if not new:
            return
        try:
            self.consumer.commit(new, timeout_ms=10_000)
        except KafkaError as error:
            self.log.warning("commit_failed", error=f"{type(error).__name__}: {error}")
            return
        self.committed = offsets


def consumer(settings: Settings, projection: Projection, group: str) -> KafkaConsumer:
    """A member of the projection's group, waiting for Kafka up to PATIENCE; Unavailable after that.

    TopicMismatch where there is no such topic: it would wait for one unseen.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return _joined(settings, projection, group)
        except KafkaError as error:
            if not error.retriable or time.monotonic() > deadline:
                what = f"{type(error).__name__}: {error}"
                raise Unavailable(what, f"Kafka at {settings.kafka}", "is it running?") from None
        time.sleep(RETRY)


def _joined(settings: Settings, projection: Projection, group: str) -> KafkaConsumer:
    topic = projection.topic.name(settings.namespace)
    joined = KafkaConsumer(
        topic,
        bootstrap_servers=settings.kafka.split(","),
        group_id=group,
        group_instance_id=settings.instance or None,
        client_id=f"cdp-sink-{projection.name}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_poll_records=MAX_ROWS,
        fetch_max_wait_ms=100,
        session_timeout_ms=6_000,
        heartbeat_interval_ms=1_500,
        bootstrap_timeout_ms=int(PATIENCE * 1000),
        reconnect_backoff_max_ms=2_000,
        allow_auto_create_topics=False,
    )
    try:
        there = joined.partitions_for_topic(topic)
    except BaseException:
        joined.close(autocommit=False)
        raise
    if not there:
        joined.close(autocommit=False)
        raise TopicMismatch(f"there is no topic {topic}", f"Kafka at {settings.kafka}", "run `cdp init`")
    return compiled(joined)
