"""A running ingest and its sources: what operators change holds within moments, limits hold whoever is killed."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import orjson
import pytest

from deploy.init import init
from deploy.localstack.ports import free_ports
from deploy.sources.change import add, change, now_ms, rotate
from deploy.sources.shown import used_on
from schemas.event import Event
from schemas.settings import Settings
from schemas.sources import day_of
from schemas.topics import EVENTS, REJECTED, SOURCES, TOPICS, USAGE
from tests.conftest import settings_for
from tests.ingest.servers import KEY, Answer, Client, read, serving
from tests.processes import Process
from tests.servers import Broker
from tests.waiting import connects, until

WHY = "a test"
SOON = 10.0
"""Seconds in which a change is heard on a busy machine; it takes less than one."""


def track(client: Client, **headers: str) -> Answer:
    return client.post("/v1/track", {"event": "Visit", "userId": "u1"}, **headers)


def batch(client: Client, events: int) -> Answer:
    made = [{"type": "track", "event": "Visit", "userId": f"u{number}"} for number in range(events)]
    return client.post("/v1/batch", {"batch": made})


def heard(client: Client, status: int) -> None:
    """Until this is what the source hears."""
    until(lambda: track(client).status == status, f"{status} is answered", SOON)


@contextmanager
def ingests(settings: Settings, number: int) -> Iterator[list[tuple[Process, Client]]]:
    """So many processes of one deployment, ready."""
    with ExitStack() as stack:
        made = []
        for each, port in enumerate(free_ports(number)):
            own = settings.model_copy(update={"ingest_port": port})
            process = Process("ingest", own, f"ingest-{each}")
            made.append((process, stack.enter_context(serving(process, own))))
        yield made


def as_source(client: Client, key: str) -> Client:
    """A sender with another key to the same process."""
    other = client.without_key()
    other.headers = {"X-Write-Key": key}
    return other


def used(settings: Settings) -> int:
    return used_on(settings, day_of(now_ms(), settings.timezone))["till"]


def taken(settings: Settings) -> list[Event]:
    return [
        event
        for record in read(settings, EVENTS)
        if (event := Event.model_validate_json(record.value)).source == "till"
    ]


# --- changes


def test_changes_hold_within_moments_and_without_a_restart(deployment: Settings) -> None:
    with serving(Process("ingest", deployment), deployment) as client:
        terms = {"name": "till", "channel": "offline", "namespaces": ["membership_card"]}
        old = as_source(client, add(deployment, terms, WHY))
        heard(old, 400)  # of a user_id, which it may not assert
        change(deployment, "till", {"namespaces": "all"}, WHY)
        heard(old, 200)
        (event, *_) = taken(deployment)
        assert (event.source, event.channel) == ("till", "offline")

        began = time.monotonic()
        new = as_source(client, rotate(deployment, "till", 4_000, WHY))
        heard(new, 200)
        assert track(old).status == 200 or time.monotonic() - began > 4, "in its grace"
        until(lambda: track(old).status == 401, "its grace ends", 10)
        assert time.monotonic() - began >= 4
        assert track(new).status == 200

        newest = as_source(client, rotate(deployment, "till", 0, WHY))
        heard(newest, 200)
        assert track(new).status == 401, "without a grace, at once"

        change(deployment, "till", {"enabled": False}, WHY)
        heard(newest, 404)
        assert track(newest).body["code"] == "source_disabled"
        assert track(client).status == 200, "others are as they were"
        change(deployment, "till", {"enabled": True}, WHY)
        heard(newest, 200)


def test_while_kafka_is_away_what_is_known_holds_and_then_what_changed(
    own_broker: Broker, tmp_path: Path
) -> None:
    settings = settings_for(tmp_path / "home", kafka=own_broker.address)
    init(settings)
    with serving(Process("ingest", settings), settings) as client:
        old = as_source(client, add(settings, {"name": "till", "channel": "web"}, WHY))
        kiosk = as_source(client, add(settings, {"name": "kiosk", "channel": "web", "quota": 10}, WHY))
        change(settings, "pos", {"enabled": False}, WHY)
        heard(old, 200)
        heard(as_source(client, "local-pos-write-key"), 404)
        own_broker.kill()
        assert [batch(kiosk, 9).status for _ in range(2)] == [503] * 2
        assert track(client).status == track(old).status == 503
        assert track(as_source(client, "local-pos-write-key")).status == 404
        assert track(as_source(client, "nobodys-write-key")).status == 401
        own_broker.start()
        until(lambda: track(old).status == 200, "it takes events again")
        assert batch(kiosk, 1).status == 200, "what did not reach the log used no quota"
        rotate(settings, "till", 0, WHY)
        until(lambda: track(old).status == 401, "it hears again")


# --- limits


def assert_limited(answer: Answer, code: str) -> int:
    """A refusal as SDKs take it; gives the seconds to wait."""
    assert (answer.status, answer.body["success"], answer.body["code"]) == (429, False, code)
    assert set(answer.body) == {"success", "code", "message"}
    assert 1 <= int(answer.headers["retry-after"]) <= 300
    return int(answer.headers["retry-after"])


def test_a_rate_is_429_with_when_to_come_again_and_then_it_is_taken(deployment: Settings) -> None:
    with serving(Process("ingest", deployment), deployment) as client:
        till = as_source(client, add(deployment, {"name": "till", "channel": "web", "rate": 100}, WHY))
        heard(till, 200)
        assert batch(till, 300).status == 200, "larger than a second's worth"
        seconds = assert_limited(batch(till, 1), "rate_limited")
        assert seconds <= 3
        assert batch(client, 300).status == 200, "another source"
        began = time.monotonic()
        until(lambda: batch(till, 1_000).status == 200)
        assert time.monotonic() - began <= seconds + 3
        bodies, key = client.without_key(), till.headers["X-Write-Key"]
        visit = {"event": "Visit", "userId": "u1", "writeKey": key}
        assert_limited(bodies.post("/v1/track", visit), "rate_limited")
        assert_limited(till.post("/v1/track", b"{broken"), "rate_limited")  # its body is not looked at
        assert not read(deployment, REJECTED)


def test_a_quota_holds_over_two_processes_and_over_a_kill(deployment: Settings) -> None:
    key = add(deployment, {"name": "till", "channel": "web", "quota": 50}, WHY)
    with ingests(deployment, 2) as ((first, one), (_, other)):
        here, there = as_source(one, key), as_source(other, key)
        assert batch(here, 30).status == 200
        until(lambda: used(deployment) == 30, "it is told", SOON)
        assert batch(there, 19).status == 200
        until(lambda: used(deployment) == 49, "it is told", SOON)
        first.kill()
        first.start()
        until(lambda: connects(here.address[1]) and here.get("/ready").status == 200)
        assert track(here).status == 200
        until(lambda: used(deployment) == 50, "it goes on where it was", SOON)
        for client in (here, there):
            until(lambda each=client: track(each).status == 429, "it knows", SOON)  # type: ignore[misc]
            assert_limited(track(client), "quota_exceeded")
        assert batch(one, 10).status == 200, "another source"
        assert 50 <= len(taken(deployment)) <= 52, "but for what was under way"
        change(deployment, "till", {"quota": None}, WHY)
        heard(here, 200)


def test_what_was_counted_is_told_when_it_stops(deployment: Settings) -> None:
    key = add(deployment, {"name": "till", "channel": "web", "quota": 50}, WHY)
    process = Process("ingest", deployment)
    with serving(process, deployment) as client:
        assert batch(as_source(client, key), 30).status == 200
        assert process.end() == 0
    assert used(deployment) == 30


# --- keys are nobody's to read


def test_no_write_key_is_in_a_log_an_error_or_a_topic(deployment: Settings) -> None:
    process = Process("ingest", deployment)
    with serving(process, deployment) as client:
        key = add(deployment, {"name": "till", "channel": "web"}, WHY)
        till, bare = as_source(client, key), client.without_key()
        heard(till, 200)
        answers = [
            track(till),
            bare.post(f"/v1/track?writeKey={key}", {"event": "Visit"}),
            bare.post("/v1/track", {"event": "Visit", "writeKey": key}),
            bare.post("/v1/batch", {"batch": 7, "writeKey": key}),
            till.post("/v1/batch", {"batch": [{"type": "track", "writeKey": key}]}),
            till.post("/v1/batch", b'{"batch": [], "writeKey" : "%b"' % key.encode()),
            bare.post("/v1/batch", {"batch": [], "writeKey": f"{key}x"}),
            till.post(f"/v1/{key}", {}),
            till.post("/v1/track", b"{broken"),
        ]
        newest = rotate(deployment, "till", 0, WHY)
        heard(as_source(client, newest), 200)
        answers.append(track(till))
    assert len(read(deployment, REJECTED)) == 6
    written = b"".join(
        record.value for topic in (SOURCES, USAGE, REJECTED) for record in read(deployment, topic)
    )
    said = process.said().encode() + written + orjson.dumps([answer.body for answer in answers])
    for each in (key, newest, KEY):
        assert each.encode() not in said


@pytest.mark.parametrize("lacking", ["topic", "sources"])
def test_a_deployment_without_sources_is_told_how_it_gets_them(
    kafka: str, tmp_path: Path, lacking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(tmp_path, kafka=kafka)
    without(monkeypatch, settings, topic=lacking == "topic")
    process = Process("ingest", settings)
    process.start()
    assert process.wait(60) == 1
    assert "Traceback" not in process.said()
    assert "cdp init" in process.said()
    init(settings)
    with serving(process, settings) as client:
        assert track(client).status == 200


def without(monkeypatch: pytest.MonkeyPatch, settings: Settings, *, topic: bool) -> None:
    """Found a deployment as it was before there were sources."""
    with monkeypatch.context() as patch:
        patch.setattr("deploy.init.seed", lambda *_: [])
        patch.setattr("deploy.init.first", lambda *_: {})
        patch.setattr("deploy.init.until_readable", lambda *_: None)
        if topic:
            older = tuple(each for each in TOPICS if each not in (SOURCES, USAGE))
            patch.setattr("deploy.init.TOPICS", older)
        init(settings)
