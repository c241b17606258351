"""One shop for the session, and a visitor for each test."""

from collections.abc import Iterator

import pytest
import yaml
from playwright.sync_api import Browser

from deploy.init import init
from tests.conftest import settings_for
from tests.ingest.servers import serving as ingest_serving
from tests.processes import Process
from tests.sdks.browser import visitor
from tests.sdks.conftest import source
from tests.sdks.log import reading
from tests.sdks.sites import Answer, Request, serving
from tests.sdks.snippet.shop import Shop, Visit, page


@pytest.fixture(scope="session")
def shop(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    home = tmp_path_factory.mktemp("snippet")
    sources = [source("web"), {**source("slow"), "rate": 1}]
    (home / "sources.yaml").write_text(yaml.safe_dump({"sources": sources}))
    settings = settings_for(home, kafka=kafka, sources=home / "sources.yaml")
    init(settings)
    ingest, process = f"http://127.0.0.1:{settings.ingest_port}", Process("ingest", settings)

    def answer(request: Request) -> Answer:
        return page(ingest, request.path.partition("?")[0])

    with ingest_serving(process, settings), serving(answer) as port, reading(settings) as log:
        yield Shop(log, process, ingest, f"http://localhost:{port}")


@pytest.fixture
def visit(shop: Shop, browser: Browser) -> Iterator[Visit]:
    with visitor(browser) as context:
        yield Visit(shop, context)
