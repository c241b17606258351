"""One running ingest for all points of the wire protocol; the tests leave it as they found it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from deploy.init import init
from tests.conftest import settings_for
from tests.ingest.servers import Client, serving
from tests.processes import Process
from tests.protocol.seen import SHOP, Seen

SOURCES = [
    {"name": "shop", "write_key": SHOP, "channel": "ecommerce", "trusted": True},
    {
        "name": "site",
        "write_key": "key-of-the-site",
        "channel": "web",
        "origins": ["https://shop.example", "https://*.shop.example"],
    },
    {"name": "old", "write_key": "key-of-the-old-site", "channel": "web", "enabled": False, "origins": []},
    {"name": "slow", "write_key": "key-of-the-slow-one", "channel": "web", "rate": 1},
    {"name": "small", "write_key": "key-of-the-small-one", "channel": "web", "quota": 3, "origins": []},
]
"""The site's pages are of its own origins; a page of any may send as the shop."""


@pytest.fixture(scope="package")
def ingest(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """A client of it that sends as the shop, and what the log has."""
    home: Path = tmp_path_factory.mktemp("protocol")
    file = home / "sources.yaml"
    file.write_text(yaml.safe_dump({"sources": SOURCES}))
    settings = settings_for(home, kafka=kafka, sources=file)
    init(settings)
    with serving(Process("ingest", settings), settings), Seen(settings) as seen:
        yield seen


@pytest.fixture
def client(ingest: Seen) -> Client:
    """A client that sends as the shop."""
    return ingest.client
