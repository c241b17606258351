"""What is checked before anything starts."""

import os
import socket
from pathlib import Path

import pytest

from deploy import config, logs, stack
from deploy.localstack import tools
from deploy.localstack.ports import free_ports
from deploy.state import ChildState, ProcessId, StackState, StateFile
from projections.registry import PROJECTIONS
from schemas.errors import ConfigError, MissingTool, PortInUse
from schemas.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("CDP_KEY_SECRET", raising=False)
    monkeypatch.setenv("CDP_HOME", str(tmp_path))
    kafka, clickhouse, http, ingest = free_ports(4)
    return Settings(
        home=tmp_path,
        kafka=f"127.0.0.1:{kafka}",
        clickhouse_port=clickhouse,
        clickhouse_http_port=http,
        ingest_port=ingest,
    )


def test_a_port_in_use_is_told_with_the_setting_that_moves_it(settings: Settings) -> None:
    with (
        socket.create_server(("127.0.0.1", settings.clickhouse_http_port)),
        pytest.raises(PortInUse) as refused,
    ):
        stack.check(settings, servers_only=False)
    assert refused.value.what == f"port {settings.clickhouse_http_port} is in use"
    assert "CDP_CLICKHOUSE_HTTP_PORT" in refused.value.hint


def test_the_port_of_ingest_does_not_matter_to_servers_only(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", settings.ingest_port)):
        stack.check(settings, servers_only=True)
        with pytest.raises(PortInUse, match="is in use"):
            stack.check(settings, servers_only=False)


@pytest.mark.parametrize(
    "elsewhere", [{"kafka": "broker.example:9092"}, {"clickhouse_host": "warehouse.example"}]
)
def test_servers_that_are_configured_elsewhere_are_not_started(
    settings: Settings, elsewhere: dict[str, str]
) -> None:
    with pytest.raises(ConfigError, match="elsewhere"):
        stack.check(settings.model_copy(update=elsewhere), servers_only=True)


def test_a_missing_java_is_told_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingTool) as missing:
        tools.require_all()
    assert "Java is not installed" in missing.value.what
    assert "openjdk-17-jre-headless" in missing.value.hint


def test_an_old_java_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    with pytest.raises(MissingTool, match="too old"):
        tools.java()


def test_missing_servers_are_told_with_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tools, "TOOLS", tmp_path)
    with pytest.raises(MissingTool, match="make setup"):
        tools.kafka_jars()
    with pytest.raises(MissingTool, match="compose"):
        tools.chdb_library()


def test_a_clickhouse_on_the_path_is_preferred(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tools, "clickhouse_binary", lambda: "/opt/clickhouse")
    clickhouse, _ = stack.servers(settings)
    config_file = str(tmp_path / "clickhouse/config.xml")
    assert clickhouse.program.argv == ["/opt/clickhouse", "server", "--config-file", config_file]


def test_the_key_secret_is_made_once_and_is_nobody_elses(settings: Settings) -> None:
    assert config.load_settings().key_secret.get_secret_value() == ""
    made = config.load_settings(create_secret=True).key_secret.get_secret_value()
    assert len(made) >= 32
    assert (settings.home / "key_secret").stat().st_mode & 0o777 == 0o600
    assert config.load_settings(create_secret=True).key_secret.get_secret_value() == made
    assert config.load_settings().key_secret.get_secret_value() == made


def test_a_given_key_secret_wins(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDP_KEY_SECRET", "k" * 32)
    assert config.load_settings(create_secret=True).key_secret.get_secret_value() == "k" * 32
    assert not (settings.home / "key_secret").exists()


def test_bad_settings_are_named_as_they_are_set(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDP_INGEST_PORT", "70000")
    with pytest.raises(ConfigError) as refused:
        config.load_settings()
    assert refused.value.where.startswith("CDP_INGEST_PORT: ")


def test_services_are_as_many_workers_as_asked_for(settings: Settings) -> None:
    made = stack.services(settings.model_copy(update={"workers": 3}))
    assert [child.program.name for child in made] == [
        "sink-events",
        "sink-state",
        "worker-1",
        "worker-2",
        "worker-3",
        "ingest",
        "thresholds",
    ]


def test_the_sinks_write_every_projection_once() -> None:
    names = [name for names in stack.SINKS for name in names]
    assert sorted(names) == sorted(projection.name for projection in PROJECTIONS)


def test_a_large_log_is_moved_aside_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "kafka.log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"old\n" * 100)
        logs.rotate(tmp_path, limit=100)
        writer.write(b"new\n")
    assert path.read_bytes() == b"new\n"
    assert (tmp_path / "kafka.log.1").read_bytes() == b"old\n" * 100


def test_lines_are_read_whole_and_anew_after_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "kafka.log"
    path.write_text("one\nhalf")
    lines, place = logs.appended(path, 0)
    assert lines == ["one"]
    path.write_text("one\nhalf a line\n")
    lines, place = logs.appended(path, place)
    assert lines == ["half a line"]
    path.write_text("new\n")
    assert logs.appended(path, place) == (["new"], 4)


def test_a_number_that_another_process_got_is_not_mistaken(tmp_path: Path) -> None:
    known = ProcessId.of(os.getpid())
    assert known.process() is not None
    assert known.model_copy(update={"born": known.born - 1}).process() is None


def test_the_lock_tells_who_runs(tmp_path: Path) -> None:
    file = StateFile(tmp_path)
    assert file.holder() is None
    with file.lock() as ours:
        assert ours
        holder = file.holder()
        assert holder is not None
        assert holder.pid == os.getpid()
        with file.lock() as second:
            assert not second
    assert file.holder() is None


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = StateFile(tmp_path)
    assert file.read().phase == "stopped"
    child = ChildState(
        name="kafka", state="ready", process=None, started=1.5, restarts=2, last_exit=-9, port=9092
    )
    state = StackState(phase="ready", children=[child])
    file.write(state)
    assert file.read() == state
