import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from deploy.program import Program, tail
from schemas.errors import ProcessFailed
from tests.deploy.waiting import until

FORKS = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
STARTS_ONE_AND_DIES = """
import os, sys
from pathlib import Path
from deploy.program import Program
program = Program("sleeper", ["sleep", "600"], Path(sys.argv[1]))
program.start()
print(program.pid, flush=True)
os._exit(1)
"""


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def exists(path: Path) -> None:
    path.stat()


@pytest.fixture
def forking(tmp_path: Path) -> Iterator[Program]:
    program = Program("forking", [sys.executable, "-c", FORKS], tmp_path / "forking.log")
    program.start()
    until(lambda: tail(program.log, 1))
    yield program
    program.kill()


@pytest.mark.parametrize("end", [Program.stop, Program.kill])
def test_nothing_that_it_forked_is_left(forking: Program, end: Callable[[Program], None]) -> None:
    fork = int(tail(forking.log, 1))
    assert running(fork)
    end(forking)
    assert not forking.alive
    until(lambda: not running(fork))


def test_stop_kills_what_does_not_end(tmp_path: Path) -> None:
    stubborn = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    )
    program = Program("stubborn", [sys.executable, "-c", stubborn], tmp_path / "log", stop_seconds=0.2)
    program.start()
    until(lambda: tail(program.log, 1))
    program.stop()
    assert program.exit_code == -signal.SIGKILL


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", STARTS_ONE_AND_DIES, str(tmp_path / "log")]
    told = subprocess.run(argv, capture_output=True, text=True, check=False)
    until(lambda: not running(int(told.stdout)))


def test_one_that_ends_at_once_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    program = Program(
        "brief", ["sh", "-c", "echo no such luck; exit 7"], tmp_path / "brief.log", lambda: None
    )
    program.start()
    program.wait()
    with pytest.raises(ProcessFailed) as failed:
        program.wait_ready()
    assert failed.value.what == "brief ended with exit code 7"
    assert "no such luck" in failed.value.hint
    assert failed.value.where == str(tmp_path / "brief.log")


def test_it_is_not_healthy_before_its_check_passes(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    program = Program(
        "slow", ["sh", "-c", f"touch {flag}; sleep 600"], tmp_path / "log", check=lambda: exists(flag)
    )
    assert not program.healthy()
    program.start()
    program.wait_ready(10)
    program.restart()
    assert program.healthy()
    program.kill()
    assert not program.healthy()
