"""A transaction that is over, and of which a partition was never told: its end is written by who takes over."""

from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.protocol.producer import ProduceRequest
from kafka.record.default_records import DefaultRecordBatchBuilder

from deploy.init import init
from processors.hanging import last_transaction, write_lost_markers
from schemas.topics import STATE
from tests.conftest import settings_for
from tests.integration.log import until_folded, write
from tests.processes import Process, running
from tests.processors.events import at, event
from tests.servers import Broker
from tests.waiting import until

ID = "writer"
PLACES = [TopicPartition("t", 0), TopicPartition("t", 1)]


@pytest.fixture
def lenient(own_broker: Broker) -> str:
    """A broker that takes a transaction's record without its coordinator's knowing, as one is left after the fault."""
    with closing(KafkaAdminClient(bootstrap_servers=own_broker.address)) as admin:
        off = {"transaction.partition.verification.enable": "false"}
        admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, "1", configs=off)])
        admin.create_topics([NewTopic("t", 2, 1)])
    return own_broker.address


def left_open(kafka: str, id_: str, partition: TopicPartition, key: bytes, value: bytes) -> None:
    """Append a record of the id's last transaction, of which the coordinator knows nothing any more."""
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        last = admin.describe_transactions([id_])[id_]
        [producer] = admin.describe_producers([partition])[partition].active_producers
        sequence = producer.last_sequence + 1
        built = DefaultRecordBatchBuilder(2, 0, True, last.producer_id, last.producer_epoch, sequence, 16_384)
        built.append(0, None, key, value, [])
        data = ProduceRequest.TopicProduceData
        here = data.PartitionProduceData(index=partition.partition, records=bytes(built.build()))
        request = ProduceRequest(
            transactional_id=id_, acks=-1, timeout_ms=5000,
            topic_data=[data(name=partition.topic, partition_data=[here])], max_version=9,
        )  # fmt: skip
        answer = admin._manager.run(lambda: admin._manager.send(request, node_id=1))
        assert [p.error_code for t in answer.responses for p in t.partition_responses] == [0]


def transaction(producer: KafkaProducer, value: bytes, *, commit: bool) -> None:
    producer.begin_transaction()
    for place in PLACES:
        producer.send(place.topic, value, b"key", partition=place.partition)
    producer.flush()
    producer.commit_transaction() if commit else producer.abort_transaction()


def started(kafka: str) -> KafkaProducer:
    producer = KafkaProducer(bootstrap_servers=kafka, transactional_id=ID)
    producer.init_transactions()
    return producer


def committed(kafka: str) -> list[Any]:
    reader = KafkaConsumer(
        bootstrap_servers=kafka, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    with closing(reader):
        reader.assign(PLACES)
        ends, found = reader.end_offsets(PLACES), []
        while any(reader.position(place) < end for place, end in ends.items()):
            found += [record.value for records in reader.poll(200).values() for record in records]
    return sorted(found)


def until_complete(kafka: str, id_: str) -> None:
    """Until the markers of the last transaction are written: its end is acknowledged before."""
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        until(
            lambda: admin.describe_transactions([id_])[id_].state.value.startswith("Complete"),
            "it is complete",
        )


@pytest.mark.parametrize("commit", [True, False])
def test_what_was_left_open_ends_as_its_transaction_did(lenient: str, commit: bool) -> None:
    with closing(started(lenient)) as producer:
        transaction(producer, b"first", commit=commit)
        until_complete(lenient, ID)
        left_open(lenient, ID, PLACES[1], b"key", b"open")
        assert b"open" not in committed(lenient)

        last = last_transaction(lenient, ID)
        with closing(started(lenient)) as successor:
            write_lost_markers(lenient, last, PLACES)
            transaction(successor, b"later", commit=True)
    until_complete(lenient, ID)
    mine = [b"first", b"first", b"open"] if commit else []
    assert committed(lenient) == sorted([*mine, b"later", b"later"])


def test_without_a_transaction_there_is_nothing_to_end(lenient: str) -> None:
    assert last_transaction(lenient, "nobody") is None
    write_lost_markers(lenient, None, PLACES)


def test_a_worker_goes_on_where_its_changelog_was_left_open(lenient: str, tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "home", kafka=lenient, partitions=1)
    init(settings)
    worker = Process("worker", settings)
    with running(worker):
        found = until_folded(settings, write(settings, [event("Page Viewed", at("2026-01-01"), id_="1")]))
        assert worker.end() == 0
        until_complete(lenient, f"{settings.namespace}-fold-0")
        place, ada = TopicPartition(STATE.name(settings.namespace), 0), "user_id:ada"
        left_open(lenient, f"{settings.namespace}-fold-0", place, ada.encode(), orjson.dumps(found[ada]))
        ends = write(settings, [event("Page Viewed", at("2026-01-02"), id_="2")])
        worker.start()
        assert until_folded(settings, ends)[ada]["parts"][ada]["events"] == 2
    assert "lost transaction marker written" in worker.said()
