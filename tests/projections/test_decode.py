"""Records decoded in C are those that kafka-python itself reads, wherever a poll ends."""

from contextlib import closing

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from projections.decode import Fetched, compiled
from schemas import topics
from schemas.settings import Settings
from tests.projections.log import T0

HEADERS = [[], [("keys", b"user_id:a email:b")], [("a", b""), ("ü", b"\xff"), ("a", b"again")]]
BODIES = [(b"k", b"v" * 300), (None, b"{}"), (b"\xff", None), (b"", b"x"), (b"k", b"")]


def write(settings: Settings, compression: str | None) -> TopicPartition:
    """Committed transactions and aborted ones by turns, and what is in none, in one partition."""
    place = TopicPartition(topics.EVENTS.name(settings.namespace), 0)
    common = {"bootstrap_servers": settings.kafka, "compression_type": compression, "linger_ms": 5}
    with (
        closing(KafkaProducer(**common)) as plain,
        closing(KafkaProducer(**common, transactional_id=settings.namespace)) as inside,
    ):
        inside.init_transactions()
        for turn in range(6):
            inside.begin_transaction()
            for number in range(40):
                key, value = BODIES[number % len(BODIES)]
                for producer in (inside, plain):
                    producer.send(
                        place.topic,
                        key=key,
                        value=value,
                        headers=HEADERS[number % len(HEADERS)],
                        partition=0,
                        timestamp_ms=T0 + turn * 1000 - number,
                    )
            inside.flush()
            plain.flush()
            _ = inside.abort_transaction() if turn % 2 else inside.commit_transaction()
    return place


def reader(settings: Settings, place: TopicPartition, start: int) -> KafkaConsumer:
    consumer = KafkaConsumer(
        bootstrap_servers=settings.kafka, enable_auto_commit=False, isolation_level="read_committed"
    )
    consumer.assign([place])
    consumer.seek(place, start)
    return consumer


def read(
    consumer: KafkaConsumer, place: TopicPartition, most: int
) -> list[tuple[int, list[ConsumerRecord | Fetched]]]:
    """(position after it, records) of each poll up to the end."""
    end, polled = consumer.end_offsets([place])[place], []
    try:
        while consumer.position(place) < end:
            records = consumer.poll(timeout_ms=200, max_records=most).get(place, [])
            polled.append((consumer.position(place), records))
        return polled
    finally:
        consumer.close()


@pytest.mark.parametrize("compression", [None, "gzip", "lz4", "zstd"])
def test_records_are_those_of_kafka_python(settings: Settings, compression: str | None) -> None:
    place = write(settings, compression)
    for start, most in ((0, 10_000), (0, 7), (13, 1_000)):
        expected = read(reader(settings, place, start), place, most)
        found = read(compiled(reader(settings, place, start)), place, most)
        records = [record for _, some in found for record in some]
        assert all(type(record) is Fetched for record in records), "kafka-python decoded them"
        assert records == [
            Fetched(*(getattr(record, field) for field in Fetched._fields))
            for _, some in expected
            for record in some
        ]
        assert len(records) == 6 * 40 + 3 * 40 - start
        for position, some in found:
            assert position > max((record.offset for record in some), default=-1)
        assert [at for at, some in found if some] == [at for at, some in expected if some]
