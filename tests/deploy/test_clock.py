"""The clock as an importer writes it: into every partition, acknowledged, and what the workers make of it."""

from typing import Any

import orjson
import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaConnectionError

from deploy import clock
from deploy.init import joined
from schemas.errors import ConfigError, GenesisMismatch, Unavailable
from schemas.event import Clock, Tick
from schemas.settings import Settings
from schemas.topics import EVENTS
from tests.deploy.test_cli import cdp
from tests.processes import Process, environment, running
from tests.waiting import until

JULY = 1_782_864_000_000  # 2026-07-01T00:00Z


def log_of(settings: Settings) -> list[Any]:
    """Every committed record of the events log but the definitions' markers."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka, isolation_level="read_committed")
    try:
        topic = EVENTS.name(settings.namespace)
        partitions = [TopicPartition(topic, p) for p in range(settings.partitions)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends, found = consumer.end_offsets(partitions), []
        while any(consumer.position(p) < ends[p] for p in partitions):
            for records in consumer.poll(timeout_ms=200).values():
                found += [record for record in records if record.key != b"marker"]
        return found
    finally:
        consumer.close()


def test_each_statement_is_in_every_partition_when_it_returns(deployment: Settings) -> None:
    with clock.writer(deployment) as producer:
        written = [
            clock.hold(deployment, producer),
            clock.tick(deployment, JULY, producer),
            clock.release(deployment, producer),
        ]
    found = {(record.partition, record.offset): record for record in log_of(deployment)}
    expected: tuple[Clock | Tick, ...] = (
        Clock(running=False),
        Tick(at=JULY, by="importer"),
        Clock(running=True),
    )
    for offsets, statement in zip(written, expected, strict=True):
        assert set(offsets) == set(range(deployment.partitions))
        for place in offsets.items():
            record = found.pop(place)
            assert record.key == statement.type.encode()
            assert type(statement).model_validate_json(record.value) == statement
    assert found == {}


def test_the_commands_do_the_same_in_the_deployments_time_zone(deployed: Any) -> None:
    settings = deployed(timezone="America/New_York")
    for words in (("hold",), ("tick", "2026-06-30"), ("tick", "2026-07-01T00:00Z"), ("release",)):
        done = cdp("clock", *words, env=environment(settings))
        assert (done.returncode, done.stderr) == (0, "")
    said = [orjson.loads(record.value) for record in log_of(settings) if record.partition == 0]
    assert [each.get("running", each.get("at")) for each in said] == [
        False,
        JULY - 20 * 3_600_000,
        JULY,
        True,
    ]


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "", "9999-99-99T00:00"])
def test_a_time_that_is_none_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match="not a time") as refused:
        clock.instant(text, "Asia/Shanghai")
    assert refused.value.where == "AT"


def test_a_time_may_name_its_own_zone() -> None:
    assert clock.instant("2026-07-01T08:00", "Asia/Shanghai") == JULY
    assert clock.instant("2026-07-01T02:00+02:00", "Asia/Shanghai") == JULY


def test_nothing_is_written_into_a_deployment_of_other_settings(deployment: Settings) -> None:
    other = deployment.model_copy(update={"timezone": "Asia/Tokyo"})
    with pytest.raises(GenesisMismatch):
        joined(other)
    refused = cdp("clock", "hold", env=environment(other))
    assert refused.returncode == 1
    assert "CDP_TIMEZONE" in refused.stderr
    nowhere = cdp("clock", "hold", env=environment(deployment.model_copy(update={"namespace": "nobodys"})))
    assert nowhere.stderr.startswith("error: there is no deployment\n")
    assert log_of(deployment) == []


def test_a_kafka_that_is_away_is_told(deployment: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: object) -> None:  # the client itself leaves sockets open when it is refused
        raise KafkaConnectionError

    monkeypatch.setattr(clock, "KafkaProducer", away)
    with pytest.raises(Unavailable) as refused:
        clock.hold(deployment)
    assert refused.value.where == deployment.kafka


def test_a_released_clock_runs_by_itself(deployment: Settings) -> None:
    clock.hold(deployment)
    with running(Process("worker", deployment)):
        released = clock.release(deployment)

        def ticks() -> set[int]:
            owned = [
                r for r in log_of(deployment) if b'"owner"' in r.value and r.offset > released[r.partition]
            ]
            return {record.partition for record in owned}

        until(lambda: len(ticks()) == deployment.partitions, "every worker's partition ticks")


def test_a_time_that_is_not_over_is_refused_unless_it_is_asked_for(deployment: Settings) -> None:
    before = len(log_of(deployment))
    refused = cdp("clock", "tick", "9999-12-31", env=environment(deployment))
    assert refused.returncode == 1
    assert "no customer's time ever goes back" in refused.stderr
    assert len(log_of(deployment)) == before
    assert cdp("clock", "tick", "2999-01-01", "--future", env=environment(deployment)).returncode == 0
    assert len(log_of(deployment)) == before + deployment.partitions
