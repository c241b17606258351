"""What a clone brings: `make help` lists every target, and no committed file says where packages come from."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# In two parts, so that this file is not found.
HOSTS = (
    "registry." + "npmjs",
    "pypi." + "org",
    "files.python" + "hosted",
    "repo." + "maven",
    "repo1." + "maven",
)


def run(*argv: str) -> str:
    env = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    return subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False).stdout


def test_help_lists_every_target() -> None:
    told = run("make", "help")
    phony = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY"))
    assert [line.split()[1] for line in told.splitlines()] == phony.split()[1:]


def test_what_needs_setup_does_it_by_itself() -> None:
    for target in ("demo", "test", "check", "bench", "up"):
        assert "deploy/setup.sh" in run("make", "-n", target)


def test_setup_again_does_nothing() -> None:
    argv = [str(ROOT / "deploy/setup.sh"), "tests"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=10)
    assert done.stdout + done.stderr == ""


def test_no_committed_file_names_a_registry() -> None:
    patterns = [part for host in HOSTS for part in ("-e", host)]
    assert run("git", "grep", "-IlF", *patterns) == ""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with everything but Maven, and an apt-get that writes down what it is asked for."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy/setup.sh", tmp_path / "deploy")
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in (
        "bash",
        "cat",
        "dirname",
        "echo",
        "env",
        "flock",
        "grep",
        "mkdir",
        "sha256sum",
        "uname",
        "xargs",
    ):
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    stub(tools / "python3", "exit 0")
    stub(tools / "java", "echo 'openjdk version \"17.0.1\"' >&2")
    stub(tools / "node", "exit 0")
    stub(tools / "npm", "exit 0")
    return tmp_path


def stub(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(0o755)


def set_up(machine: Path, *what: str) -> "subprocess.CompletedProcess[str]":
    argv = [str(machine / "bin/bash"), str(machine / "deploy/setup.sh"), *what]
    env = {"PATH": str(machine / "bin")}
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=30)


def test_setup_tells_in_one_line_what_is_missing(machine: Path) -> None:
    done = set_up(machine)
    assert done.returncode == 1
    assert done.stderr == "setup: missing: maven; on Debian: sudo apt-get install maven\n"


def test_only_the_tests_need_a_browser(machine: Path) -> None:
    assert "chromium" not in set_up(machine).stderr
    assert set_up(machine, "tests").stderr.endswith("sudo apt-get install maven chromium\n")


@pytest.mark.parametrize("missing", ["mvn", "npm"])
def test_setup_installs_what_is_missing_where_it_may(machine: Path, missing: str) -> None:
    stub(machine / "bin/mvn", "exit 0")
    (machine / "bin" / missing).unlink()
    stub(machine / "bin/apt-get", f"echo $@ >> {machine}/asked")
    done = set_up(machine)
    package = {"mvn": "maven"}.get(missing, missing)
    if os.geteuid() == 0:
        assert f"--no-install-recommends {package}\n" in (machine / "asked").read_text()
    assert f"setup: missing: {package};" in done.stderr
