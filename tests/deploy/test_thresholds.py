"""Thresholds and rates: computed or read, published once, with a marker in every partition."""

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from deploy import rates, thresholds
from deploy.definitions import history as log
from deploy.definitions.logical import Clocks
from processors.calendar import Calendar
from projections.connect import connect
from projections.migrate import migrate
from schemas.errors import CdpError, ConfigError
from schemas.portrait import Rates, Thresholds
from schemas.settings import Settings
from schemas.topics import EVENTS
from tests.deploy.test_cli import cdp
from tests.integration.log import read
from tests.portrait_strategies import DAY, NOON
from tests.processes import environment
from tests.projections.crowd import crowd, store
from tests.waiting import until


def known(settings: Settings, size: int = 60, seed: int = 1) -> None:
    with connect(settings) as client:
        store(client, crowd(seed, size, "UTC"), Calendar("UTC"))


def published(settings: Settings, kind: type[Any]) -> list[Any]:
    found = [each for each in log.read(settings).definitions.values() if isinstance(each, kind)]
    return sorted(found, key=lambda each: each.version)


def markers(settings: Settings, kind: str) -> list[tuple[int, str]]:
    found = [(r.partition, orjson.loads(r.value)) for r in read(settings, EVENTS) if r.key == b"marker"]
    return sorted((p, body["definition"]) for p, body in found if body["kind"] == kind)


@pytest.fixture
def base(platform: Settings) -> Settings:
    migrate(platform)
    return platform


def test_thresholds_are_published_once_and_again_when_they_are_others(base: Settings) -> None:
    assert thresholds.recompute(base, NOON) == (None, False), "nobody is there yet"
    known(base)
    first = thresholds.recompute(base, NOON)
    assert first.published
    assert published(base, Thresholds) == [first.thresholds]
    assert thresholds.recompute(base, NOON + 1) == (first.thresholds, False)
    assert thresholds.recompute(base, NOON + DAY).published, "everybody is a day older"
    keys = ["thresholds/customer/1", "thresholds/customer/2"]
    assert markers(base, "thresholds") == [(p, key) for p in range(base.partitions) for key in keys]
    one, two = published(base, Thresholds)
    assert [new - old for old, new in zip(one.relationship, two.relationship, strict=True)] == [1, 1, 1, 1]
    assert (one.frequency, one.monetary, one.customers) == (two.frequency, two.monetary, two.customers)


def test_two_at_once_write_no_version_twice(base: Settings) -> None:
    known(base, 20)

    def recompute(day: int) -> bool:
        try:
            return thresholds.recompute(base, NOON + day * DAY).published
        except CdpError as error:
            assert "at this moment" in error.what  # noqa: PT017
            return False

    with ThreadPoolExecutor() as pool:
        done = sum(pool.map(recompute, range(4)))
    assert done >= 1
    assert [each.version for each in published(base, Thresholds)] == [*range(1, done + 1)]
    assert len(markers(base, "thresholds")) == done * base.partitions


def test_they_follow_the_logical_day_and_rest_while_it_does(
    base: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, computed, stop = [Clocks(NOON, running=True)], list[int](), threading.Event()
    original = thresholds.recompute

    def recompute(settings: Settings, at: int | None = None) -> thresholds.Recomputed:
        computed.append(at or 0)
        return original(settings, at)

    monkeypatch.setattr(thresholds, "recompute", recompute)
    monkeypatch.setattr(thresholds, "POLL_S", 0.05)
    monkeypatch.setattr(thresholds, "clocks", lambda _: now[0])
    following = threading.Thread(target=thresholds.follow, args=(base, stop))
    following.start()
    try:
        until(lambda: len(computed) > 1, "an empty base is looked at again")
        known(base, 20)
        until(lambda: len(published(base, Thresholds)) == 1, "the first are published")
        until(lambda: computed[-1] == NOON and not stop.wait(0.3), "it rests")
        before = len(computed)
        now[0] = Clocks(NOON + 3_600_000, running=True)
        assert not stop.wait(0.5)
        assert len(computed) == before, "an hour is no day"
        now[0] = Clocks(NOON + DAY, running=False)
        assert not stop.wait(0.5)
        assert len(computed) == before, "an importer's days are not followed"
        now[0] = Clocks(NOON + DAY, running=True)
        until(lambda: len(published(base, Thresholds)) == 2, "the next day has its own")
    finally:
        stop.set()
        following.join()


def test_the_command_shows_them(base: Settings) -> None:
    known(base, 20)
    shown = cdp("thresholds", env=environment(base))
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "thresholds/customer/1 of " in shown.stdout
    assert "published" in shown.stdout
    assert "in force already" in cdp("thresholds", env=environment(base)).stdout


def test_without_a_value_or_a_database_it_is_one_clear_line(deployed: Any) -> None:
    lifecycle = Path(__file__).parents[2] / "schemas/presets/gym.yaml"
    settings = deployed(lifecycle=str(lifecycle), clickhouse_port=1)
    told = cdp("thresholds", env=environment(settings))
    assert told.stderr.startswith("error: no value is in force")


def test_rates_are_published_once(deployment: Settings, tmp_path: Path) -> None:
    file = tmp_path / "rates.yaml"
    file.write_text("EUR: 1.08\nJPY: '0.0064'\n")
    made = rates.publish(deployment, file)
    assert made is not None
    assert made.rates == {"EUR": Decimal("1.08"), "JPY": Decimal("0.0064")}
    assert rates.publish(deployment, file) is None, "nothing changes"
    file.write_text("EUR: 1.1\n")
    shown = cdp("rates", str(file), env=environment(deployment))
    assert (shown.stdout, shown.stderr) == ("rates/main/2 is in force\n", "")
    assert [each.rates["EUR"] for each in published(deployment, Rates)] == [Decimal("1.08"), Decimal("1.1")]
    keys = ["rates/main/1", "rates/main/2"]
    assert markers(deployment, "rates") == [(p, key) for p in range(deployment.partitions) for key in keys]


WRONG = {
    "- EUR": "mapping of currencies",
    "EUR: 0": "rates.EUR",
    "EUR: -1": "rates.EUR",
    "EUR: one": "rates.EUR",
    "euro: 1": "rates.euro",
    "EUR: .inf": "rates.EUR",
    "USD: 2": "USD is the deployment's own currency",
}


def test_what_are_no_rates_is_told_with_its_place(deployment: Settings, tmp_path: Path) -> None:
    file = tmp_path / "rates.yaml"
    for text, fault in WRONG.items():
        file.write_text(text)
        with pytest.raises(ConfigError) as refused:
            rates.publish(deployment, file)
        assert fault in refused.value.what
        assert refused.value.where == str(file)
    assert published(deployment, Rates) == []
