"""ClickHouse away, killed, and cut off between executing and answering; a server of the test's own."""

import random
import threading
from collections.abc import Callable
from uuid import uuid4

import pytest

from projections.connect import connect
from projections.migrate import migrate
from schemas import topics
from schemas.settings import Settings
from tests.projections.conftest import Server, Sink, content, settings_for, until_caught_up
from tests.projections.log import create_topics, event, order, produce
from tests.projections.relay import Relay

Start = Callable[[Settings], Sink]


@pytest.fixture
def settings(own_clickhouse: Server, kafka: str) -> Settings:
    settings = settings_for(own_clickhouse, kafka)
    migrate(settings)
    create_topics(settings)
    return settings


def test_clickhouse_killed_again_and_again_loses_and_doubles_nothing(
    settings: Settings, own_clickhouse: Server, sink: Start
) -> None:
    dice = random.Random(11)
    running = sink(settings)
    for _ in range(5):
        produce(settings, topics.EVENTS, [order(f"user_id:{n}", uuid4().hex, "1.5") for n in range(400)])
        threading.Event().wait(dice.random() * 0.4)  # the moment is what is tried
        own_clickhouse.kill()
        produce(settings, topics.EVENTS, [event(f"user_id:{n}") for n in range(100)])
        own_clickhouse.start()
    until_caught_up(settings, 90, own_clickhouse)
    assert content(settings)["events"][0] == 2500
    with connect(settings) as client:
        assert client.execute("SELECT count(), toString(sum(net)) FROM orders") == [(2000, "3000")]
    told = running.terminate()
    assert told.count("clickhouse_unreachable") == told.count("clickhouse_recovered")
    assert running.process.returncode == 0


def test_cut_off_after_execution_and_before_the_answer_the_retry_changes_nothing(
    settings: Settings, own_clickhouse: Server, sink: Start
) -> None:
    relay = Relay(0, own_clickhouse.tcp)
    running = sink(settings.model_copy(update={"clickhouse_port": relay.port}))
    for round_ in range(3):
        produce(settings, topics.EVENTS, [event(f"user_id:{n}", sent_at=None) for n in range(50)])
        until_caught_up(settings)
        relay.arm()
        produce(settings, topics.EVENTS, [order(f"user_id:{n}", f"o{round_}", "2.5") for n in range(50)])
        until_caught_up(settings)
    assert relay.cuts == 3
    with connect(settings) as client:
        assert client.execute("SELECT count() FROM events_raw") > [(300,)], "rows were written twice"
        assert client.execute("SELECT count(), countIf(sent_at IS NULL) FROM events") == [(300, 300)]
        assert client.execute("SELECT count(), toString(sum(net)) FROM orders") == [(150, "375")]
    assert running.terminate().count("clickhouse_unreachable") == 3
    relay.close()
