"""The frame of the command line: errors are told in lines, help is there at once."""

import os
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import pytest

import deploy.cli
from schemas.errors import CdpError, NotFound


def cdp(*arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "deploy", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, env=dict(env), check=False, timeout=120)


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(deploy.cli, "app", fail)


def test_an_error_is_what_where_and_hint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, NotFound("nobody has this", "user_id:1", "look it up"))
    with pytest.raises(SystemExit) as ended:
        deploy.cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "error: nobody has this\nwhere: user_id:1\nhint: look it up\n"


def test_parts_that_are_empty_are_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, CdpError("it broke"))
    with pytest.raises(SystemExit):
        deploy.cli.main()
    assert capsys.readouterr().err == "error: it broke\n"


def test_debugging_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CDP_DEBUG", "1")
    failing(monkeypatch, CdpError("it broke"))
    with pytest.raises(SystemExit):
        deploy.cli.main()
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("debug", ["0", "1"])
def test_a_defect_frightens_nobody_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], debug: str
) -> None:
    monkeypatch.setenv("CDP_DEBUG", debug)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    failing(monkeypatch, ZeroDivisionError("by zero"))
    with pytest.raises(SystemExit):
        deploy.cli.main()
    told = capsys.readouterr().err
    assert "error: ZeroDivisionError: by zero\n" in told
    assert ("Traceback" in told) == (debug == "1")


def test_an_unknown_command_is_a_usage_error() -> None:
    told = cdp("dance", env={})
    assert told.returncode == 2
    assert "No such command 'dance'" in told.stderr


def test_a_bad_setting_is_one_error(tmp_path: Path) -> None:
    told = cdp("status", env={"CDP_HOME": str(tmp_path), "CDP_WORKERS": "none"})
    assert told.returncode == 1
    assert "CDP_WORKERS" in told.stderr
    assert "Traceback" not in told.stderr


def test_help_imports_no_client_of_a_server() -> None:
    heavy = "{'faust', 'aiokafka', 'kafka', 'clickhouse_driver', 'granian'}"
    script = f"import sys, deploy.cli; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_variable_that_is_no_setting_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("CDP_KAFKKA", "CDP_KAFKA", "CDP_DEBUG", "CDP_SECRET_FANS_TOKEN", "PATH"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr(deploy.cli, "app", lambda: None)
    deploy.cli.main()
    assert capsys.readouterr().err == "warning: CDP_KAFKKA is no setting; docs/settings.md has them all\n"


def test_it_tells_its_version() -> None:
    told = cdp("--version", env=os.environ)
    assert (told.returncode, told.stdout.strip()) == (0, metadata.version("cdp"))
