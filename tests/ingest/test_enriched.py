"""What a running ingest adds to the events of a browser, of the request's own headers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from deploy.init import init
from deploy.sources.change import change
from schemas.settings import Settings
from schemas.topics import EVENTS
from tests.conftest import settings_for
from tests.ingest.enrichment.contexts import FIREFOX, GOOGLEBOT
from tests.ingest.enrichment.maxmind import write
from tests.ingest.servers import Client, read, serving
from tests.processes import Process, running
from tests.waiting import until

HERE = "203.0.113.77"


@pytest.fixture(scope="module")
def web(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Client]]:
    """An ingest behind one proxy, with a MaxMind file, and a client that browsers' pages would be."""
    folder = tmp_path_factory.mktemp("enriched")
    settings = settings_for(folder, kafka=kafka, geo=write(folder / "city.mmdb"), trusted_proxies=1)
    init(settings)
    process = Process("ingest", settings)
    with serving(process, settings):
        yield settings, Client(settings, "local-web-write-key")


def sent(web: tuple[Settings, Client], name: str, agent: str = FIREFOX, **context: Any) -> dict[str, Any]:
    """An event as the log has it."""
    settings, client = web
    message = {"type": "track", "event": name, "anonymousId": "a1", "messageId": name, "context": context}
    headers = {"User_Agent": agent, "X_Forwarded_For": f"192.0.2.1, {HERE}"}
    assert client.post("/v1/track", message, **headers).status == 200
    (value,) = [r.value for r in read(settings, EVENTS) if orjson.loads(r.value)["message_id"] == name]
    assert HERE.encode() not in value
    found: dict[str, Any] = orjson.loads(value)
    return found


def test_the_request_tells_of_its_sender(web: tuple[Settings, Client]) -> None:
    event = sent(web, "told")
    assert event["context"] == {
        "agent": {"browser": "Firefox", "browser_version": "128.0", "os": "Windows", "os_version": "10"},
        "location": {"country": "GB", "region": "England", "city": "London"},
        "ip": "203.0.113.0",
    }
    assert "bot" not in event


def test_a_crawler_is_marked(web: tuple[Settings, Client]) -> None:
    assert sent(web, "crawled", GOOGLEBOT)["bot"] is True


def test_what_is_switched_off_is_no_longer_added(web: tuple[Settings, Client]) -> None:
    settings, _ = web
    assert change(settings, "web", {"enrichment": {"agent": False, "ip": "drop"}}, "a test")
    numbers = iter(range(1_000))
    until(lambda: "agent" not in sent(web, f"switched {next(numbers)}")["context"])
    assert sent(web, "off")["context"] == {
        "location": {"country": "GB", "region": "England", "city": "London"}
    }


def test_a_maxmind_file_that_cannot_be_read_keeps_it_from_starting(kafka: str, tmp_path: Path) -> None:
    file = tmp_path / "city.mmdb"
    file.write_bytes(b"no database")
    process = Process("ingest", settings_for(tmp_path, kafka=kafka, geo=file))
    with running(process):
        assert process.wait(60) != 0
    assert "CDP_GEO" in process.said()
    assert "Traceback" not in process.said()
