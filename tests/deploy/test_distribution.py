"""What a clone brings: `make help` lists every target, and no committed file says where packages come from."""

import subprocess
from pathlib import Path

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
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def test_help_lists_every_target() -> None:
    told = run("make", "help")
    phony = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY"))
    assert [line.split()[1] for line in told.splitlines()] == phony.split()[1:]


def test_what_needs_setup_does_it_by_itself() -> None:
    for target in ("demo", "test", "check", "bench", "up"):
        assert "deploy/setup.sh" in run("make", "-n", target)


def test_setup_again_does_nothing() -> None:
    done = subprocess.run([ROOT / "deploy/setup.sh"], capture_output=True, text=True, check=True, timeout=10)
    assert done.stdout + done.stderr == ""


def test_no_committed_file_names_a_registry() -> None:
    patterns = [part for host in HOSTS for part in ("-e", host)]
    assert run("git", "grep", "-IlF", *patterns) == ""
