"""A Kafka broker that is its own controller (KRaft), on loopback."""

import socket
import subprocess
from pathlib import Path

from kafka import KafkaAdminClient

from deploy.localstack import tools
from deploy.localstack.ports import LOOPBACK
from deploy.program import Program, tail
from schemas.errors import ProcessFailed, Unavailable

CLUSTER_ID = "Y2RwLWxvY2FsLXN0YWNrMQ"
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data

# one node: a replica of everything
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1

auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
# a broker that was killed may register again when its former session is over
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
message.max.bytes=8388608
replica.fetch.max.bytes=8388608
# a developer's machine: small buffers, and transactions that a killed process left open end soon
log.cleaner.dedupe.buffer.size=33554432
log.cleaner.backoff.ms=5000
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
num.network.threads=2
num.io.threads=4
"""
HEAP = ("-Xms256m", "-Xmx1g")
# Formatting is over before a full compiler would pay.
FORMAT_FLAGS = ("-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def start_kafka(folder: Path, port: int, controller_port: int) -> Program:
    """Start a broker on the data of `folder`, made on first use; call `wait_ready` on what this returns."""
    program = kafka(folder, port, controller_port)
    program.start()
    return program


def kafka(folder: Path, port: int, controller_port: int, log: Path | None = None) -> Program:
    """Prepare the folder and return the broker, not started; its log is `folder`/kafka.log unless told."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    properties = folder / "server.properties"
    properties.write_text(
        PROPERTIES.format(host=LOOPBACK, port=port, controller_port=controller_port, folder=folder)
    )
    log = log or folder / "kafka.log"
    if not (folder / "data/meta.properties").exists():
        _format(properties, log)
    argv = [*_java(*HEAP), "kafka.Kafka", str(properties)]
    return Program("kafka", argv, log, check=lambda: check_kafka(LOOPBACK, port))


def check_kafka(host: str, port: int) -> None:
    """Return when a broker at this address serves; raise otherwise, within a few seconds."""
    # The client, refused, leaves its sockets open.
    socket.create_connection((host, port), timeout=4).close()
    bootstrap = f"{host}:{port}"
    admin = KafkaAdminClient(
        bootstrap_servers=bootstrap, request_timeout_ms=4000, bootstrap_timeout_ms=4000, api_version=(3, 9)
    )
    try:
        if not admin.describe_cluster()["brokers"]:
            raise Unavailable("no broker is registered", bootstrap)
    finally:
        admin.close()


def _format(properties: Path, log: Path) -> None:
    argv = [
        *_java(*FORMAT_FLAGS),
        "kafka.tools.StorageTool",
        "format",
        "-t",
        CLUSTER_ID,
        "-c",
        str(properties),
    ]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        done = subprocess.run(argv, stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise ProcessFailed("Kafka's data folder cannot be formatted", str(log), tail(log, 12))


def _java(*flags: str) -> list[str]:
    return [tools.java(), *flags, "-cp", f"{tools.kafka_jars()}/*", "-Dorg.apache.logging.log4j.level=WARN"]
