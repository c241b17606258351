"""A browser for a module: Playwright keeps an event loop running. A Kafka, an ingest and a shop elsewhere, too."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from playwright.sync_api import Browser

from deploy.init import init
from schemas.settings import Settings
from tests.conftest import settings_for
from tests.sdks.browser import chromium, visitor
from tests.sdks.registry import SDKS, Place
from tests.sdks.runs import NODE_MODULES
from tests.sdks.scenarios import key_of
from tests.sdks.sites import Answer, Request, serving
from tests.servers import Broker

PAGE = Path(__file__).parent / "drivers/page.html"
ANALYTICS_NEXT = NODE_MODULES / "@segment/analytics-next/dist/umd/index.js"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def place(browser: Browser) -> Iterator[Place]:
    """A visitor, and the shop's page with @segment/analytics-next."""
    files = {"/": (PAGE, "text/html"), "/analytics-next.js": (ANALYTICS_NEXT, "text/javascript")}

    def answer(request: Request) -> Answer:
        path, kind = files.get(request.path, (None, ""))
        return Answer(200, {"content-type": kind}, path.read_bytes()) if path else Answer(404, {}, b"")

    with serving(answer) as port, visitor(browser) as context:
        place = Place(context, f"http://localhost:{port}/", set())
        context.on("request", lambda request: place.hosts.add(urlsplit(request.url).hostname))
        yield place


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A Kafka of this module's own, started."""
    broker = Broker(tmp_path_factory.mktemp("kafka"))
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


@pytest.fixture(scope="module")
def founded(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A deployment with a source for each SDK, and one of the same name with `slow-` that may send little."""
    home = tmp_path_factory.mktemp("deployment")
    names = [sdk.name for sdk in SDKS]
    sources = [source(name) for name in names] + [{**source(f"slow-{name}"), "rate": 1} for name in names]
    (home / "sources.yaml").write_text(yaml.safe_dump({"sources": sources}))
    settings = settings_for(home, kafka=broker.address, sources=home / "sources.yaml")
    init(settings)
    return settings


def source(name: str) -> dict[str, object]:
    return {"name": name, "write_key": key_of(name), "channel": "web"}
