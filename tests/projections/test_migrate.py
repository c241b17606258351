import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from projections import access, migrate
from projections.connect import connect
from schemas.errors import ConfigError, Unavailable
from schemas.settings import Settings
from tests.projections.conftest import Server, settings_for
from tests.projections.relay import Relay


def objects(settings: Settings) -> list[tuple[str, str]]:
    with connect(settings) as client:
        found = client.execute(
            "SELECT name, toString(uuid) FROM system.tables WHERE database = currentDatabase()"
        )
    return sorted(found)


def test_twice_is_as_once(tables: Settings) -> None:
    once = objects(tables)
    migrate.migrate(tables)
    assert objects(tables) == once
    assert {name for name, _ in once} >= {*access.VIEWS, *access.DICTIONARIES}


def test_by_three_processes_at_once(clickhouse: Server) -> None:
    settings = settings_for(clickhouse)
    code = (
        "import sys; from schemas.settings import Settings; from projections.migrate import migrate; "
        "migrate(Settings(clickhouse_port=int(sys.argv[1]), clickhouse_database=sys.argv[2]))"
    )
    argv = [sys.executable, "-c", code, str(settings.clickhouse_port), settings.clickhouse_database]
    running = [subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(3)]
    told = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], told
    assert {name for name, _ in objects(settings)} >= set(access.VIEWS)


def test_a_server_that_is_away_is_said_once_and_then_its_return(clickhouse: Server) -> None:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    settings = settings_for(clickhouse).model_copy(update={"clickhouse_port": port})
    relay = threading.Timer(1.0, lambda: Relay(port, clickhouse.tcp))
    relay.start()
    with capture_logs() as logs:
        migrate.migrate(settings)
    said = [one["event"] for one in logs]
    assert said.count("clickhouse_unreachable") == said.count("clickhouse_recovered") == 1


def test_a_server_that_stays_away_is_a_plain_error(clickhouse: Server) -> None:
    settings = settings_for(clickhouse).model_copy(update={"clickhouse_port": 1})
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1 "):
        migrate.migrate(settings, patience=0.5)


def test_a_migration_that_was_changed_after_it_was_applied_is_refused(
    tables: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in migrate.MIGRATIONS.glob("*.sql"):
        (tmp_path / path.name).write_text(path.read_text() + "\n-- edited\n")
    monkeypatch.setattr(migrate, "MIGRATIONS", tmp_path)
    with pytest.raises(ConfigError):
        migrate.migrate(tables)


def test_where_users_cannot_be_created_it_is_said_with_what_to_grant(
    tables: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tables.model_copy(update={"analyst_user": "nobody_yet"})
    with capture_logs() as logs:
        assert not access.grant(settings)
    (said,) = logs
    assert said["event"] == "analyst_user_not_created"
    assert f"GRANT SELECT ON {tables.clickhouse_database}.profiles" in said["hint"]
