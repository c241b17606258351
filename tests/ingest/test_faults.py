"""Whatever happens to ingest or to Kafka: what was answered with 200 is in the log."""

import random
import signal
import time
from pathlib import Path

import orjson
import psutil
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from deploy.init import init
from schemas.settings import Settings
from schemas.topics import EVENTS
from tests.conftest import settings_for
from tests.ingest.ledger import Ledger
from tests.ingest.servers import serving
from tests.processes import Process
from tests.servers import Broker
from tests.waiting import until

TRACK = {"event": "Visit", "userId": "u1"}


def founded_on(broker: Broker, home: Path) -> Settings:
    settings = settings_for(home, kafka=broker.address)
    init(settings)
    return settings


def test_a_stop_ends_what_it_began_and_loses_nothing(deployment: Settings) -> None:
    process, ledger = Process("ingest", deployment), Ledger(deployment)
    with serving(process, deployment), ledger.running():
        until(lambda: len(ledger.acknowledged) > 500)
        assert process.end() == 0
    assert ledger.acknowledged
    assert not ledger.lost()


def test_killed_at_any_moment_it_loses_nothing_acknowledged(deployment: Settings) -> None:
    moments, ledger = random.Random(20260921), Ledger(deployment)
    process = Process("ingest", deployment)
    with ledger.running():
        for _ in range(5):
            with serving(process, deployment):
                ledger.wait_for_more(moments.randrange(20, 400))
                process.kill()
    assert not ledger.lost()


def test_a_silent_broker_is_503_in_bounded_time_and_memory(own_broker: Broker, tmp_path: Path) -> None:
    settings = founded_on(own_broker, tmp_path)
    process, ledger = Process("ingest", settings), Ledger(settings)
    with serving(process, settings) as client:
        assert client.post("/v1/track", TRACK).status == 200
        own_broker.program.send(signal.SIGSTOP)
        began = time.monotonic()
        answer = client.post("/v1/track", TRACK)
        assert (answer.status, answer.body["code"], answer.body["success"]) == (503, "unavailable", False)
        assert int(answer.headers["retry-after"]) in range(1, 301)
        assert time.monotonic() - began < 8
        assert (client.get("/health").status, client.get("/ready").status) == (200, 503)
        memory = psutil.Process(process.pid).memory_info().rss
        with ledger.running():
            until(lambda: 503 in ledger.statuses)
            assert psutil.Process(process.pid).memory_info().rss < memory + 100 * 2**20
            own_broker.program.send(signal.SIGCONT)
            ledger.wait_for_more(200)
        until(lambda: client.get("/ready").status == 200)
        assert client.post("/v1/track", TRACK).status == 200
    assert not ledger.lost()
    said = [orjson.loads(line)["event"] for line in process.said().splitlines()]
    assert [line for line in said if "acknowledge" in line] == [
        "kafka does not acknowledge",
        "kafka acknowledges again",
    ]


def test_a_killed_broker_costs_nothing_acknowledged(own_broker: Broker, tmp_path: Path) -> None:
    settings = founded_on(own_broker, tmp_path)
    ledger = Ledger(settings)
    with serving(Process("ingest", settings), settings), ledger.running():
        ledger.wait_for_more(300)
        own_broker.kill()
        until(lambda: 503 in ledger.statuses)
        own_broker.start()
        ledger.wait_for_more(300)
    assert not ledger.lost()


def test_a_batch_that_the_broker_refuses_stops_nothing_else(deployment: Settings) -> None:
    """A refused batch leaves a gap in an idempotent producer's sequence, after which it is good for nothing."""
    process = Process("ingest", deployment)
    with serving(process, deployment) as client:
        assert client.post("/v1/track", TRACK).status == 200
        limit_records(deployment, 4_096)
        noise = {"properties": {"x": random.Random(7).randbytes(10_000).hex()}}
        assert client.post("/v1/track", TRACK | noise).status == 503
        until(lambda: client.post("/v1/track", TRACK).status == 200)
    assert "kafka refused a batch" in process.said()
    assert "kafka connected again" in process.said()


def limit_records(settings: Settings, size: int) -> None:
    """Let the events topic take no batch larger than this."""
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka)
    try:
        config = {"max.message.bytes": str(size)}
        admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, EVENTS.name(settings.namespace), config)]
        )
    finally:
        admin.close()
