"""One running ingest for the tests of a module that leave it as they found it."""

from collections.abc import Iterator

import pytest

from deploy.init import init
from schemas.settings import Settings
from tests.conftest import settings_for
from tests.ingest.servers import Client, serving
from tests.processes import Process


@pytest.fixture(scope="module")
def server(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Client]]:
    """Its settings, and a client of it."""
    settings = settings_for(tmp_path_factory.mktemp("ingest"), kafka=kafka)
    init(settings)
    with serving(Process("ingest", settings), settings) as client:
        yield settings, client
