"""What the benchmark of hooks sends is genuine to the adapters of its sources, and every event is one of its own."""

import time

import orjson
import pytest

from bench.geo import synthetic_geo
from bench.hooks import KINDS, secrets
from bench.ingest import HERE
from bench.outside import doors_of, hook_of, mqtt_us, pull_us
from bench.senders import SECRETS, SENDERS, webhooks
from deploy.sources.seed import of_file
from ingest.accept import accept
from ingest.adapters.registry import ADAPTERS
from ingest.canonical import Arrival
from ingest.doors import Doors
from schemas import sources
from schemas.settings import Settings
from tests.processes import SECRET

SETTINGS = Settings.model_validate({"key_secret": SECRET, "sources": HERE / "hooks.yaml"})


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Doors:
    return doors_of(SETTINGS, synthetic_geo(tmp_path_factory.mktemp("geo") / "geo.mmdb"))


def sent(doors: Doors, source: str, batch: int, events: int) -> list[dict[str, object]]:
    """The records of what a source is sent."""
    door, now = doors.by_name(source), time.time_ns() // 1_000_000
    adapter = ADAPTERS[str(door.source.adapter)]
    values = []
    for each in webhooks(source, batch, events, now // 1_000):
        messages, _ = adapter.take(hook_of(each, now), SECRETS[adapter.name], door.source.config)
        accepted = accept(messages, door.desk, Arrival(now, "bench"))
        assert not accepted.refused
        assert len(accepted.events) == batch
        values += [orjson.loads(value) for _, value in accepted.events]
    return values


@pytest.mark.parametrize("kind", KINDS)
def test_every_hook_is_genuine_and_its_events_are_distinct(
    doors: Doors, kind: tuple[str, tuple[int]]
) -> None:
    source, (batch, *_), *_ = kind
    values = sent(doors, source, batch, 200)
    assert len({str(value["message_id"]) for value in values}) == 200


@pytest.mark.parametrize("source", ["sendgrid", "signed"])
def test_only_the_source_that_enriches_does(doors: Doors, source: str) -> None:
    for name, enriched in ((source, False), (f"{source}-all", True)):
        contexts = [value["context"] for value in sent(doors, name, 10, 100)]
        assert any("agent" in context for context in contexts if isinstance(context, dict)) is enriched


def test_what_brokers_have_is_taken(doors: Doors) -> None:
    desk = doors.by_name("signed").desk
    assert mqtt_us(desk) > 0
    assert pull_us(desk) > 0


def test_each_of_its_sources_has_something_to_send_and_its_secrets() -> None:
    assert {source.name for source in sources.load(HERE / "hooks.yaml").sources} == set(SENDERS)
    assert {source.adapter for source in of_file(SETTINGS)} == set(SECRETS)
    assert secrets(SETTINGS)["CDP_SECRET_WECHAT_AES_AES_KEY"] == SECRETS["wechat"]["aes_key"]
