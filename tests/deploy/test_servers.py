"""The servers of the local stack: killed in the middle of work, they come back with what they had."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_driver import Client, errors
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from deploy.localstack.clickhouse_server import start_clickhouse
from deploy.localstack.kafka_server import start_kafka
from deploy.localstack.ports import free_ports
from deploy.program import Program

PORT, CONTROLLER, TCP, HTTP = free_ports(4)
BROKER = f"127.0.0.1:{PORT}"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, Program]]:
    folder: Path = tmp_path_factory.mktemp("servers")
    clickhouse = start_clickhouse(folder / "clickhouse", TCP, HTTP)
    kafka = start_kafka(folder / "kafka", PORT, CONTROLLER)
    try:
        clickhouse.wait_ready()
        kafka.wait_ready()
        yield clickhouse, kafka
    finally:
        kafka.kill()
        clickhouse.kill()


def kill_and_start(program: Program) -> None:
    program.kill()
    program.start()
    program.wait_ready()


def client(user: str, password: str) -> Client:
    return Client("127.0.0.1", TCP, user=user, password=password)


def test_clickhouse_has_its_data_after_a_kill(servers: tuple[Program, Program]) -> None:
    with client("cdp", "cdp") as writer:
        writer.execute("CREATE DATABASE cdp")
        writer.execute("CREATE TABLE cdp.numbers (n UInt64, j JSON) ENGINE = MergeTree ORDER BY n")
        writer.execute("INSERT INTO cdp.numbers SELECT number, '{\"a\": 1}' FROM numbers(1000)")
    kill_and_start(servers[0])
    servers[0].restart()
    with client("cdp", "cdp") as writer:
        assert writer.execute("SELECT count(), sum(j.a::Int64) FROM cdp.numbers") == [(1000, 1000)]


@pytest.mark.parametrize("query", ["CREATE DATABASE mine", "SELECT * FROM cdp.numbers"])
@pytest.mark.parametrize(("user", "password"), [("analyst", "analyst"), ("default", "")])
def test_nobody_else_may_write_or_read_tables(
    servers: tuple[Program, Program], user: str, password: str, query: str
) -> None:
    assert servers[0].alive
    with client(user, password) as other, pytest.raises(errors.ServerException) as refused:
        other.execute(query)
    assert refused.value.code == 497


def test_kafka_has_its_records_after_a_kill(servers: tuple[Program, Program]) -> None:
    admin = KafkaAdminClient(bootstrap_servers=BROKER)
    admin.create_topics([NewTopic("kept", 1, 1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=BROKER, acks="all")
    for n in range(100):
        producer.send("kept", str(n).encode())
    producer.flush()
    producer.close()
    kill_and_start(servers[1])
    servers[1].restart()
    consumer = KafkaConsumer(bootstrap_servers=BROKER)
    assert consumer.end_offsets([TopicPartition("kept", 0)]) == {TopicPartition("kept", 0): 100}
    consumer.close()
