"""What keeps ingest from starting is said in one clear line."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from schemas.settings import Settings
from tests.conftest import settings_for
from tests.ingest.servers import Client, serving
from tests.processes import Process, running

Deployed = Callable[..., Settings]


def said(settings: Settings) -> str:
    """What an ingest that does not start says."""
    process = Process("ingest", settings)
    with running(process):
        assert process.wait(60) != 0
    assert "Traceback" not in process.said()
    return "".join(line.strip() for line in process.said().splitlines())  # a terminal breaks lines


def test_where_there_is_no_deployment_it_says_how_to_found_one(kafka: str, tmp_path: Path) -> None:
    assert "cdp init" in said(settings_for(tmp_path, kafka=kafka))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key_secret", "another secret of the tests, long enough"),
        ("currency", "EUR"),
        ("timezone", "Asia/Shanghai"),
    ],
)
def test_settings_that_contradict_genesis_are_refused(deployed: Deployed, field: str, value: str) -> None:
    line = said(Settings.model_validate(deployed().model_dump() | {field: value}))
    assert f"CDP_{field.upper()}" in line


def test_a_port_in_use_is_named(deployed: Deployed) -> None:
    settings = deployed()
    with socket.create_server((settings.ingest_host, settings.ingest_port)):
        assert f"{settings.ingest_host}:{settings.ingest_port}" in said(settings)


def test_sources_of_a_file_may_send_what_it_lets_them(deployed: Deployed, tmp_path: Path) -> None:
    file = tmp_path / "sources.yaml"
    sources = [
        {
            "name": "till",
            "write_key": "the-key-of-the-till",
            "channel": "offline",
            "namespaces": ["membership_card"],
        },
        {"name": "old", "write_key": "the-key-of-the-old-shop", "channel": "web", "enabled": False},
    ]
    file.write_text(yaml.safe_dump({"sources": sources}))
    settings = deployed(sources=file)
    with serving(Process("ingest", settings), settings):
        till = Client(settings, "the-key-of-the-till")
        card = {"context": {"externalIds": [{"id": "1234", "type": "membership_card"}]}}
        assert till.post("/v1/track", {"event": "Visit"} | card).status == 200
        answer = till.post("/v1/track", {"event": "Visit", "userId": "u1"})
        assert (answer.status, answer.body["code"]) == (400, "namespace_not_allowed")
        answer = Client(settings, "the-key-of-the-old-shop").post(
            "/v1/track", {"event": "Visit", "userId": "u1"}
        )
        assert (answer.status, answer.body["code"]) == (404, "source_disabled")
        assert Client(settings).post("/v1/track", {"event": "Visit", "userId": "u1"}).status == 401
