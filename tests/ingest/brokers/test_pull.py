"""Somebody else's Kafka: its events are in our log, each once, whatever is killed."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from deploy.localstack.kafka_server import kafka
from deploy.localstack.ports import free_ports
from schemas.settings import Settings
from schemas.topics import EVENTS, REJECTED
from tests.ingest.brokers.certificates import certified
from tests.ingest.brokers.mosquitto import connected, events, heard, mapping_file, sources_file
from tests.ingest.servers import read
from tests.processes import Process, running
from tests.servers import Broker
from tests.waiting import until

_numbers = itertools.count(1)
Sent = tuple[bytes | None, Any, dict[str, str]]


@pytest.fixture
def erp(deployed: Callable[..., Settings], tmp_path: Path) -> Settings:
    return deployed(sources=sources_file(tmp_path, erp="ecommerce"))


def pulling(settings: Settings, servers: str, topic: str, **more: Any) -> Process:
    """`cdp pull` with the example's mapping; `more` goes into its `kafka`."""

    def change(mapping: dict[str, Any]) -> None:
        mapping["kafka"] |= {"servers": [servers], "topics": [topic], **more}

    file = mapping_file("pull.yaml", settings.home / "pull.yaml", change)
    return Process(f"pull --mapping {file}", settings, "pull")


def topic(servers: str, partitions: int = 2) -> str:
    """A topic of theirs."""
    name = f"erp.orders-{next(_numbers)}"
    admin = KafkaAdminClient(bootstrap_servers=servers)
    try:
        admin.create_topics([NewTopic(name, partitions, 1)])
    finally:
        admin.close()
    return name


@contextmanager
def theirs(servers: str) -> Iterator[Callable[[str, list[Sent]], None]]:
    """What writes into topics of theirs, and returns when they are there."""
    producer = KafkaProducer(bootstrap_servers=servers, acks="all", linger_ms=5)

    def write(name: str, sent: list[Sent]) -> None:
        for key, value, headers in sent:
            raw = value if value is None or isinstance(value, bytes) else orjson.dumps(value)
            told = [(header, each.encode()) for header, each in headers.items()]
            producer.send(name, raw, key, told, timestamp_ms=1_790_000_000_000)
        producer.flush()

    try:
        yield write
    finally:
        producer.close()


def orders(*numbers: int) -> list[Sent]:
    return [
        (
            f"u{n}".encode(),
            {"order": {"id": f"O-{n}", "sum": 99.5}, "mail": f"u{n}@b.example"},
            {"kind": "order-placed"},
        )
        for n in numbers
    ]


def order_ids(settings: Settings) -> list[str]:
    return [event["properties"]["order_id"] for event in events(settings)]


def test_their_records_are_events_and_what_cannot_be_read_is_kept_with_its_reason(erp: Settings) -> None:
    name = topic(erp.kafka, partitions=1)
    process = pulling(erp, erp.kafka, name)
    odd: list[Sent] = [
        (b"k", b"<xml/>", {"kind": "order-placed"}),
        (b"k", None, {"kind": "order-placed"}),
        (b"k", {"order": {"id": "O-9", "sum": "much"}}, {"kind": "order-placed"}),
        (b"k", {"stock": 7}, {"kind": "stock-counted"}),  # the mapping skips it
    ]
    with theirs(erp.kafka) as write, running(process):
        write(name, orders(1) + odd + orders(2))
        until(lambda: len(events(erp)) == 2 and len(read(erp, REJECTED)) == 3)
        assert process.end() == 0
    first = events(erp)[0] if events(erp)[0]["properties"]["order_id"] == "O-1" else events(erp)[1]
    assert (first["name"], first["channel"], first["source"]) == ("Order Completed", "ecommerce", "erp")
    assert first["identifiers"] == {"user_id": ["u1"], "email": ["u1@b.example"]}
    assert first["properties"] == {"order_id": "O-1", "total": "99.5", "currency": "EUR"}
    assert first["message_id"] == f"erp/{name}/0/0"
    assert first["occurred_at"] == 1_790_000_000_000
    assert first["context"]["original"]["$headers"] == {"kind": "order-placed"}
    reasons = sorted(record.headers["reason"] for record in read(erp, REJECTED))
    assert reasons == ["bad_amount", "malformed", "malformed"]
    assert heard(process, "taken")[-1]["lag"] == 0


def test_killed_at_any_moment_nothing_is_lost_and_nothing_gets_a_second_id(erp: Settings) -> None:
    name = topic(erp.kafka)
    process = pulling(erp, erp.kafka, name)
    with theirs(erp.kafka) as write:
        write(name, orders(*range(3_000)))
        for round_ in range(3):
            with running(process):
                until(lambda so_far=300 * round_: len(order_ids(erp)) > so_far)  # type: ignore[misc]
                write(name, orders(*range(3_000 + round_ * 500, 3_500 + round_ * 500)))
                process.kill()
        with running(process):
            until(lambda: len(set(order_ids(erp))) == 4_500)
            assert process.end() == 0
        with running(process):  # all was committed: it goes on after it
            write(name, orders(4_500))
            before = len(order_ids(erp))
            until(lambda: len(order_ids(erp)) > before)
            assert process.end() == 0
    assert len(order_ids(erp)) == before + 1
    assert len({event["message_id"] for event in events(erp)}) == 4_501


def test_what_keeps_it_from_reading_is_said_once_and_it_goes_on(erp: Settings, own_broker: Broker) -> None:
    name = f"erp.late-{next(_numbers)}"
    process = pulling(erp, own_broker.address, name)
    with running(process):
        until(lambda: heard(process, "cannot read, trying again"))
        assert name in heard(process, "cannot read, trying again")[0]["reason"]
        admin = KafkaAdminClient(bootstrap_servers=own_broker.address)
        admin.create_topics([NewTopic(name, 1, 1)])
        admin.close()
        connected(process)
        with theirs(own_broker.address) as write:
            write(name, orders(1))
            until(lambda: order_ids(erp) == ["O-1"])
        own_broker.kill()
        own_broker.start()
        with theirs(own_broker.address) as write:
            write(name, orders(2))
        until(lambda: sorted(order_ids(erp)) == ["O-1", "O-2"])
        assert process.end() == 0
    assert len(heard(process, "cannot read, trying again")) <= 2


def test_what_is_missing_is_told_with_its_place(erp: Settings) -> None:
    name = topic(erp.kafka)
    process = pulling(erp, erp.kafka, name, user="cdp")
    with running(process):
        assert process.wait(30) == 1
    assert "CDP_SECRET_ERP_KAFKA_PASSWORD" in process.said()
    assert "Traceback" not in process.said()
    unknown = pulling(erp.model_copy(update={"home": erp.home}), erp.kafka, name)
    file = erp.home / "pull.yaml"
    file.write_text(file.read_text().replace("source: erp", "source: nobody"))
    with running(unknown):
        assert unknown.wait(30) == 1
    assert "cdp sources add" in unknown.said()


def test_topics_of_our_own_are_refused_by_whatever_address_and_those_of_another_are_not(
    erp: Settings, own_broker: Broker
) -> None:
    own = EVENTS.name(erp.namespace)
    other_address = erp.kafka.replace("127.0.0.1", "localhost")
    for server, name in ((erp.kafka, own), (other_address, REJECTED.name(erp.namespace))):
        process = pulling(erp, server, name)
        with running(process):
            assert process.wait(30) == 1
        assert f"error: what is to be pulled is this deployment's own\nwhere: {name}\n" in process.said()
        assert not heard(process, "connected")
        process.log.unlink()
    admin = KafkaAdminClient(bootstrap_servers=own_broker.address)
    admin.create_topics([NewTopic(own, 1, 1)])
    admin.close()
    process = pulling(erp, own_broker.address, own)
    with running(process), theirs(own_broker.address) as write:
        write(own, orders(1))
        until(lambda: order_ids(erp) == ["O-1"])
        assert process.end() == 0


def test_a_source_that_is_disabled_waits_and_what_it_waits_for_stays_where_it_is(erp: Settings) -> None:
    name = topic(erp.kafka)
    process = pulling(erp, erp.kafka, name)
    with theirs(erp.kafka) as write, running(process):
        connected(process)
        assert operator(erp, "disable") == 0
        until(lambda: _is_held(process, write, name), every=1)
        assert operator(erp, "enable") == 0
        until(lambda: heard(process, "taking again"))
        process.end()
        with running(process):
            until(lambda: "O-0" in order_ids(erp))
    assert len(heard(process, "nothing is taken now")) == 1


def test_a_limit_that_is_lifted_holds_no_longer(erp: Settings) -> None:
    assert operator(erp, "set", "--quota=1") == 0
    name = topic(erp.kafka, partitions=1)
    process = pulling(erp, erp.kafka, name)
    with theirs(erp.kafka) as write, running(process):
        write(name, orders(1))
        until(lambda: order_ids(erp) == ["O-1"])
        write(name, orders(2))
        until(lambda: heard(process, "nothing is taken now"))
        assert operator(erp, "set", "--quota=none") == 0
        until(lambda: order_ids(erp) == ["O-1", "O-2"], seconds=10)
        assert process.end() == 0
    assert len(heard(process, "nothing is taken now")) == 1


def test_how_many_are_still_to_come_is_told_while_nothing_is_taken_and_after_the_last(erp: Settings) -> None:
    assert operator(erp, "set", "--quota=1") == 0
    name = topic(erp.kafka, partitions=1)
    process = pulling(erp, erp.kafka, name)
    with theirs(erp.kafka) as write:
        write(name, orders(*range(5_000)))
        with running(process):
            until(lambda: heard(process, "taken"), seconds=30)
            first = heard(process, "taken")[0]
            assert 0 < first["events"] < first["events"] + first["lag"] < 5_000  # some are in hand
            assert operator(erp, "set", "--quota=none") == 0
            until(lambda: heard(process, "taken")[-1]["events"] == 5_000, seconds=20)
            assert heard(process, "taken")[-1]["lag"] == 0


def _is_held(process: Process, write: Callable[[str, list[Sent]], None], name: str) -> bool:
    write(name, orders(0))
    return bool(heard(process, "nothing is taken now"))


def operator(settings: Settings, what: str, *terms: str) -> int:
    """The exit code of `cdp sources` with the source of these tests."""
    command = Process(" ".join(("sources", what, "erp --because tests", *terms)), settings, f"sources-{what}")
    with running(command):
        return command.wait(60)


SECURED = """
listeners=PLAINTEXT://127.0.0.1:{port},SECURE://127.0.0.1:{secure},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SECURE://127.0.0.1:{secure}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL
sasl.enabled.mechanisms=PLAIN
listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
user_cdp="a-word-of-ours";
ssl.keystore.type=PEM
ssl.keystore.location={pem}
"""


def test_the_cluster_is_trusted_by_its_certificate_and_hears_the_password_of_the_source(
    erp: Settings, tmp_path: Path
) -> None:
    port, controller, secure = free_ports(3)
    certificate, key = certified(tmp_path)
    pem = tmp_path / "both.pem"
    pem.write_bytes(key.read_bytes() + certificate.read_bytes())
    cluster = kafka(tmp_path / "secured", port, controller)
    with (tmp_path / "secured" / "server.properties").open("a") as properties:
        properties.write(SECURED.format(port=port, controller=controller, secure=secure, pem=pem))
    secret = tmp_path / "secrets" / "erp" / "kafka_password"
    secret.parent.mkdir(parents=True)
    secret.write_text("another\n")
    settings = erp.model_copy(update={"secrets": tmp_path / "secrets"})
    try:
        cluster.start()
        cluster.wait_ready()
        name = topic(f"127.0.0.1:{port}")
        process = pulling(settings, f"127.0.0.1:{secure}", name, user="cdp", tls={"ca": str(certificate)})
        with running(process):
            until(lambda: heard(process, "cannot read, trying again"))
            assert process.end() == 0
        refused = heard(process, "cannot read, trying again")[0]
        assert "password" in refused["reason"] + refused.get("hint", "")
        secret.write_text("a-word-of-ours\n")
        with running(process), theirs(f"127.0.0.1:{port}") as write:
            write(name, orders(1))
            until(lambda: order_ids(erp) == ["O-1"])
            assert process.end() == 0
    finally:
        cluster.kill()
    assert "a-word-of-ours" not in process.said()
