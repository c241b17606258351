"""What keeps ingest from starting is said in one clear line."""

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from schemas.settings import Settings
from tests.ingest.conftest import settings_for
from tests.ingest.servers import Client, environment, ingest, running

Founded = Callable[..., Settings]


def said(settings: Settings) -> str:
    """The last line of an ingest that does not start."""
    argv = [sys.executable, "-m", "tests.ingest.serve"]
    done = subprocess.run(
        argv, env=environment(settings), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def test_where_there_is_no_deployment_it_says_how_to_found_one(broker: str) -> None:
    assert "cdp init" in said(settings_for(broker))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key_secret", "another secret of the tests, long enough"),
        ("currency", "EUR"),
        ("timezone", "Asia/Shanghai"),
    ],
)
def test_settings_that_contradict_genesis_are_refused(founded: Founded, field: str, value: str) -> None:
    line = said(Settings.model_validate(founded().model_dump() | {field: value}))
    assert f"CDP_{field.upper()}" in line


def test_a_port_in_use_is_named(founded: Founded) -> None:
    settings = founded()
    with socket.create_server((settings.ingest_host, settings.ingest_port)):
        assert f"{settings.ingest_host}:{settings.ingest_port}" in said(settings)


def test_a_bad_sources_file_is_named_with_the_place_in_it(broker: str, tmp_path: Path) -> None:
    file = tmp_path / "sources.yaml"
    file.write_text("sources: [{name: web, write_key: short, channel: web}]")
    line = said(settings_for(broker, sources=file))
    assert str(file) in line
    assert "sources.0" in line


def test_sources_of_a_file_may_send_what_it_lets_them(founded: Founded, tmp_path: Path) -> None:
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
    settings = founded(sources=file)
    with running(ingest(settings, tmp_path), settings):
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
