"""What a deployment starts with: the sources of a file, whatever `cdp init` met with before."""

import contextlib
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import deploy.init
from deploy.init import init, make_topics
from deploy.sources import log
from deploy.sources.change import change, rotate
from schemas.errors import ConfigError
from schemas.settings import Settings
from schemas.sources import Source, key_digest
from tests.conftest import settings_for
from tests.processes import SECRET, Process, running

PRESET = ["pos", "shop", "social", "web"]
TILL = {"name": "till", "write_key": "the-key-of-the-till", "channel": "offline", "quota": 50}


def known(settings: Settings) -> dict[str, Source]:
    return log.sources(log.read(settings))


def file(path: Path, *sources: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump({"sources": list(sources)}))
    return path


def again(settings: Settings, **fields: Any) -> list[str]:
    """What another `cdp init` says."""
    said: list[str] = []
    init(settings.model_copy(update=fields), said.append)
    return said


def test_a_new_deployment_has_the_sources_of_its_file_by_digest_only(
    deployed: Callable[..., Settings], tmp_path: Path
) -> None:
    settings = deployed(sources=file(tmp_path / "s.yaml", TILL))
    (source,) = known(settings).values()
    assert (source.name, source.channel, source.quota, source.enabled) == ("till", "offline", 50, True)
    assert [key.digest for key in source.keys] == [key_digest(SECRET, "the-key-of-the-till")]
    assert again(settings) == []


def test_a_source_that_the_log_lacks_is_added_and_one_that_differs_is_told(
    deployment: Settings, tmp_path: Path
) -> None:
    change(deployment, "web", {"rate": 5}, "spring")
    rotate(deployment, "shop", 0, "leaked")
    before = known(deployment)
    assert sorted(again(deployment)) == [
        "source shop: the log has another write_key, and holds",
        "source web: the log has another rate, and holds",
    ]
    assert known(deployment) == before
    assert again(deployment, sources=file(tmp_path / "s.yaml", TILL)) == []
    assert sorted(known(deployment)) == sorted([*PRESET, "till"])


def test_a_key_of_another_source_is_refused_and_not_shown(deployment: Settings, tmp_path: Path) -> None:
    path = file(tmp_path / "s.yaml", TILL | {"write_key": "local-web-write-key"})
    with pytest.raises(
        ConfigError, match="the write key of source till is that of source web already"
    ) as caught:
        again(deployment, sources=path)
    assert "local-web-write-key" not in str(caught.value)
    assert sorted(known(deployment)) == PRESET


def test_a_bad_file_is_named_with_the_place_in_it_before_anything_is_made(kafka: str, tmp_path: Path) -> None:
    path = file(tmp_path / "s.yaml", TILL | {"write_key": "short"})
    settings = settings_for(tmp_path, kafka=kafka, sources=path)
    with pytest.raises(ConfigError, match=r"sources\.0") as caught:
        init(settings)
    assert caught.value.where == str(path)
    assert "short" not in str(caught.value)
    assert log.read(settings) == {}


def test_a_deployment_from_before_there_were_sources_gets_them(
    kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(tmp_path, kafka=kafka)
    monkeypatch.setattr(deploy.init, "seed", lambda *_: [])
    monkeypatch.setattr(deploy.init, "first", lambda *_: {})
    init(settings)
    monkeypatch.undo()
    assert known(settings) == {}
    assert again(settings) == []
    assert sorted(known(settings)) == PRESET


def test_init_that_was_killed_is_done_by_the_next(kafka: str, tmp_path: Path) -> None:
    """At its topics, and wherever it is after some time."""
    settings = settings_for(tmp_path, kafka=kafka)
    make_topics(settings)
    for seconds in (0.8, 1.2, 1.6, 2.0):
        process = Process("init", settings)
        with running(process), contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        assert sorted(known(settings)) in ([], PRESET), "all or none"
    assert again(settings) == []
    assert sorted(known(settings)) == PRESET
