"""`cdp sources` as an operator types it."""

import os
import re
import time
from collections.abc import Callable

import pytest
from kafka import KafkaProducer

from deploy.sources.shown import used_on
from schemas.settings import Settings
from schemas.sources import day_of, usage_key
from schemas.topics import USAGE
from tests.deploy.test_cli import cdp
from tests.processes import environment

Cdp = Callable[..., tuple[str, str]]


@pytest.fixture
def run(deployment: Settings) -> Cdp:
    """Runs a command of `cdp sources`; gives both streams."""

    def run(*arguments: str, code: int = 0) -> tuple[str, str]:
        told = cdp("sources", *arguments, env={**os.environ, "COLUMNS": "80", **environment(deployment)})
        assert told.returncode == code, told.stderr
        assert "Traceback" not in told.stderr
        return told.stdout, told.stderr

    return run


def test_a_key_is_handed_over_once_and_shown_nowhere_else(run: Cdp) -> None:
    why = ("--because", "spring")
    key, hints = run(
        "add", "till", "--channel", "offline", "--quota", "100", "--origin", "https://a.example", *why
    )
    assert re.fullmatch(r"[A-Za-z0-9]{32}\n", key), "alone on standard output"
    assert "curl -u KEY:" in hints
    newer, told = run("rotate", "till", "--grace", "2h", *why)
    assert "its old keys are taken for 2h more" in told
    shown, others = run("list")
    failed = "".join(run("add", "till", "--channel", "offline", *why, code=1))
    for text in (hints, told, shown, others, failed):
        assert key.strip() not in text
        assert newer.strip() not in text
    assert key != newer


def test_the_list_shows_terms_keys_by_fingerprint_and_what_is_used_of_quotas(
    run: Cdp, deployment: Settings
) -> None:
    run("set", "web", "--quota", "1000", "--rate", "7", "--origin", "https://*.a.example", "--enrich", "geo=off",
        "--because", "[red]why[/red]")  # fmt: skip
    run("rotate", "web", "--because", "yearly")
    run("disable", "pos", "--because", "closed")
    day = day_of(time.time_ns() // 1_000_000, deployment.timezone)
    producer = KafkaProducer(bootstrap_servers=deployment.kafka)
    for at, process, events in ((day, "p1", 200), (day, "p2", 33), ("2020-01-01", "p1", 5)):
        key = usage_key(at, "web", process).encode()
        producer.send(USAGE.name(deployment.namespace), key=key, value=b'{"v":1,"events":%d}' % events)
    producer.close()
    assert used_on(deployment, day) == {"web": 233}
    shown, _ = run("list")
    web = shown[shown.index("\nweb") :]
    for text in (
        "1,000 events a day, 233 taken today",
        "7 events/s of each process",
        "https://*.a.example",
        "geo=off",
    ):
        assert text in web
    moment = r"20[0-9-]+ [0-9:]+Z"
    assert re.search(rf"key [0-9a-f]{{8}} since {moment}, taken until {moment}\n", web)
    assert re.search(rf"key [0-9a-f]{{8}} since {moment}\n", web)
    assert "disabled" in shown
    assert "yearly" in web
    assert "write-key" not in shown


def test_enable_and_disable_say_whether_anything_changed(run: Cdp) -> None:
    why = ("--because", "spring")
    assert "it is so already" in run("enable", "web", *why)[0]
    assert run("disable", "web", *why)[0] == "source web: changed\n"
    assert run("enable", "web", *why)[0] == "source web: changed\n"


def test_what_cannot_be_is_one_clear_error(run: Cdp) -> None:
    for arguments, told in (
        (("add", "Till", "--channel", "web"), "name: must be a name"),
        (("add", "till", "--channel", "web", "--rate", "0"), "rate: must be 1 or more"),
        (("set", "web", "--namespaces", "email,card"), "unknown namespaces: card"),
        (("rotate", "nobody"), "there is no such source"),
        (("rotate", "web", "--grace", "soon"), "not a time that keys can be in grace"),
    ):
        _, errors = run(*arguments, "--because", "x", code=1)
        assert errors.startswith("error: ")
        assert told in errors


def test_without_kafka_it_is_told_at_once(deployment: Settings) -> None:
    away = environment(deployment.model_copy(update={"kafka": "127.0.0.1:9"}))
    told = cdp("sources", "list", env={**os.environ, **away})
    assert (told.returncode, told.stdout) == (1, "")
    assert "127.0.0.1:9" in told.stderr
