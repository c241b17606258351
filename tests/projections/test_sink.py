"""The sink as a process, from real Kafka to real ClickHouse."""

import random
import threading
from collections.abc import Callable
from uuid import uuid4

import pytest
from kafka import KafkaProducer

from projections.connect import connect
from projections.lag import caught_up, lag
from projections.migrate import migrate
from projections.registry import PROJECTIONS, named
from projections.sink import serve
from schemas import topics
from schemas.errors import ConfigError, TopicMismatch
from schemas.rejected import Reason
from schemas.settings import Settings
from tests.projections.conftest import Server, Sink, content, settings_for, until_caught_up
from tests.projections.log import (
    T0,
    Rec,
    change,
    cluster,
    conflict,
    create_topics,
    event,
    moved,
    order,
    part_of,
    produce,
    rejection,
)

Start = Callable[[Settings], Sink]


def fill(settings: Settings, customers: int, events_each: int, seed: int = 0) -> None:
    """Customers with their events, states of growing rev, and changes; one transaction each topic."""
    dice = random.Random(seed)
    log, states, changes, labels = [], [], [], []
    for number in range(customers):
        key = f"user_id:{seed}-{number}"
        mine: list[Rec] = []
        for n in range(events_each):
            at = T0 + dice.randrange(10**9)
            mine.append(
                order(key, f"o{n}", str(dice.randrange(1000)), at) if n % 3 == 0 else event(key, at=at)
            )
            if n % 5 == 0:
                states.append(cluster({key: part_of(mine)}, rev=n + 1))
        vip = {"segment/vip": ["", T0, 1]}
        states.append(cluster({key: part_of(mine)}, rev=events_each + 1, stage="mature", labels=vip))
        labels.append(moved(key, 1, "entered", "segment/vip", T0))
        changes += [change(key, 1, None, "prospect", T0), change(key, 2, "prospect", "new", T0 + 1)]
        log += mine
    for topic, records in (
        (topics.EVENTS, log),
        (topics.STATE, states),
        (topics.LIFECYCLE_CHANGES, changes),
        (topics.SEGMENT_CHANGES, labels),
    ):
        produce(settings, topic, records, transaction=str(uuid4()))


def test_every_topic_reaches_its_views_and_nothing_that_was_aborted(settings: Settings, sink: Start) -> None:
    running = sink(settings)
    fill(settings, customers=20, events_each=12)
    produce(
        settings, topics.EVENTS, [event(bot=True), event(violations=["Page Viewed@1 /properties/path type"])]
    )
    produce(settings, topics.REJECTED, [rejection(Reason.MALFORMED, b"\xff{")])
    produce(settings, topics.IDENTITY_CHANGES, [conflict("user_id:0-0", "email:x", T0), Rec(b'{"v": 1}')])
    producer = KafkaProducer(bootstrap_servers=settings.kafka, transactional_id=str(uuid4()))
    producer.init_transactions()
    producer.begin_transaction()
    producer.send(topics.EVENTS.name(settings.namespace), key=b"user_id:x", value=event("user_id:x").value)
    producer.flush()
    producer.abort_transaction()
    producer.close()
    until_caught_up(settings)
    counted = {view: rows for view, (rows, _) in content(settings).items()}
    assert counted == {
        "profiles": 20,
        "identities": 40,  # of each customer the identifier and the id
        "identity_links": 0,
        "identity_changes": 1,
        "events": 241,
        "bot_events": 1,
        "plan_violations": 1,
        "lifecycle_changes": 40,
        "lifecycle_periods": 40,
        "portraits": 20,
        "stage_by_tier": 1,
        "segment_changes": 20,
        "segment_counts": 1,
        "label_periods": 20,
        "orders": 80,
        "rejected": 2,
    }
    with connect(settings) as client:
        assert client.execute("SELECT sum(net), countIf(is_purchase) FROM orders") == client.execute(
            "SELECT sum(revenue), sum(purchases) FROM profiles"
        )
    assert "stopping" in running.terminate()
    assert running.process.returncode == 0


def test_lag_counts_what_is_not_in_the_tables_yet(settings: Settings, sink: Start) -> None:
    assert caught_up(settings)
    produce(settings, topics.EVENTS, [event() for _ in range(7)])
    assert lag(settings)["events"] == 7
    sink(settings)
    until_caught_up(settings)
    assert lag(settings) == dict.fromkeys((projection.name for projection in PROJECTIONS), 0)


def test_killed_at_any_moment_the_tables_read_the_same(
    own_clickhouse: Server, kafka: str, sink: Start
) -> None:
    settings = settings_for(own_clickhouse, kafka)
    migrate(settings)
    create_topics(settings)
    dice = random.Random(7)
    running = sink(settings)
    for round_ in range(6):
        fill(settings, customers=30, events_each=10, seed=round_)
        if round_ < 5:
            threading.Event().wait(dice.random() * 1.5)  # the moment is what is tried
            running.kill()
            own_clickhouse.revive()
            running.start()
    until_caught_up(settings, 90, own_clickhouse)
    killed = content(settings)
    assert killed["events"][0] == 6 * 300
    running.terminate()
    with connect(settings) as client:
        client.execute(f"DROP DATABASE {settings.clickhouse_database}")
    migrate(settings)
    sink(settings)
    until_caught_up(settings, 90)
    assert content(settings) == killed, "tables that were dropped and made anew are filled from the log"


def test_what_cannot_be_read_is_in_the_rejected_view_and_the_rest_goes_on(
    settings: Settings, sink: Start
) -> None:
    poison = [Rec(value) for value in (b"{", b"\xff\xfe", b"", b'{"type":"track","name":5}', b"[]")]
    produce(settings, topics.EVENTS, [event(), *poison, event()])
    produce(settings, topics.STATE, [Rec(b"{", b"user_id:z"), cluster({"user_id:a": part_of([event()])})])
    running = sink(settings)
    until_caught_up(settings)
    with connect(settings) as client:
        assert client.execute("SELECT count() FROM events") == [(2,)]
        assert client.execute("SELECT count() FROM profiles") == [(1,)]
        assert client.execute("SELECT reason, count() FROM rejected GROUP BY reason") == [("unreadable", 6)]
    assert running.terminate().count("record_unreadable") == 6


def test_two_sinks_share_the_work_and_one_goes_on_alone(settings: Settings, sink: Start) -> None:
    first = sink(settings)
    fill(settings, customers=10, events_each=10)
    second = sink(settings)
    fill(settings, customers=10, events_each=10, seed=1)
    until_caught_up(settings)
    first.terminate()
    fill(settings, customers=10, events_each=10, seed=2)
    until_caught_up(settings)
    assert content(settings)["events"][0] == 300
    second.terminate()


def test_a_sink_writes_what_it_is_told_and_everything_where_it_is_told_nothing() -> None:
    assert [projection.name for projection in named(["rejected", "events"])] == ["events", "rejected"]
    assert named([]) == PROJECTIONS
    with pytest.raises(ConfigError, match="no projection 'profiles'") as told:
        named(["events", "profiles"])
    assert "lifecycle-changes" in str(told.value)


def test_a_sink_without_tables_says_what_to_do(settings: Settings) -> None:
    with connect(settings) as client:
        client.execute("DROP TABLE events_raw")
    with pytest.raises(Exception, match=r"events_raw is missing") as told:
        serve(settings, threading.Event())
    assert "cdp migrate" in str(told.value)


def test_a_sink_without_topics_says_what_to_do(tables: Settings, kafka: str) -> None:
    with pytest.raises(TopicMismatch, match=r"no topic") as told:
        serve(tables.model_copy(update={"kafka": kafka}), threading.Event())
    assert "cdp init" in str(told.value)
