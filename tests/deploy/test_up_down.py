"""`cdp up | down | status | logs` as a user runs them, with the real servers."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from deploy.localstack.ports import free_ports, require_free
from deploy.state import ChildState, StateFile
from schemas.errors import PortInUse
from tests.deploy.test_cli import cdp
from tests.deploy.waiting import until


def is_free(port: int) -> bool:
    try:
        require_free(port, "")
    except PortInUse:
        return False
    return True


class Stack:
    """A home folder and ports of a test's own."""

    def __init__(self, home: Path) -> None:
        self.home, self.file = home, StateFile(home)
        self.kafka = next(port for port in free_ports(20) if is_free(port + 1))
        clickhouse, http, ingest = free_ports(3)
        self.env = {
            **os.environ,
            "CDP_HOME": str(home),
            "CDP_KAFKA": f"127.0.0.1:{self.kafka}",
            "CDP_CLICKHOUSE_PORT": str(clickhouse),
            "CDP_CLICKHOUSE_HTTP_PORT": str(http),
            "CDP_INGEST_PORT": str(ingest),
        }

    def run(self, *arguments: str) -> str:
        told = cdp(*arguments, env=self.env)
        assert told.returncode == 0, told.stderr
        return told.stdout

    def child(self, name: str) -> ChildState:
        return next(child for child in self.file.read().children if child.name == name)

    def pid(self, name: str) -> int:
        process = self.child(name).process
        assert process is not None
        return process.pid

    def processes(self) -> list[psutil.Process]:
        return [each for each in psutil.process_iter() if self.owns(each)]

    def owns(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get("CDP_HOME") == str(self.home)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False

    def supervisor(self) -> int:
        holder = self.file.holder()
        assert holder is not None
        return holder.pid


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path / "home")
    yield made
    cdp("down", env=made.env)
    assert made.processes() == []


def restarted(stack: Stack, name: str, before: int) -> bool:
    child = stack.child(name)
    return child.state == "ready" and child.process is not None and child.process.pid != before


def test_the_platform_comes_up_is_kept_up_and_goes_down_again(stack: Stack) -> None:
    assert "ready" in stack.run("up")
    assert "runs already; see" in stack.run("up")

    for name in ("kafka", "clickhouse", "sink-events", "sink-state", "worker-1", "ingest", "thresholds"):
        before = stack.pid(name)
        os.kill(before, signal.SIGKILL)
        until(partial(restarted, stack, name, before), 60)
        assert stack.child(name).restarts >= 1
        assert stack.child(name).last_exit is not None

    status = stack.run("status")
    assert "kafka" in status
    assert str(stack.kafka) in status
    assert "kafka | " in stack.run("logs", "kafka")

    assert "stopped" in stack.run("down")
    assert stack.processes() == []
    assert "was not running" in stack.run("down")
    assert cdp("status", env=stack.env).returncode == 3


def test_what_a_killed_supervisor_left_is_cleared_and_it_comes_up_again(stack: Stack) -> None:
    stack.run("up", "--servers-only")
    os.kill(stack.pid("kafka"), signal.SIGSTOP)  # so that it outlives its parent
    os.kill(stack.supervisor(), signal.SIGKILL)
    assert "stopped" in stack.run("down")
    assert stack.processes() == []
    assert "ready" in stack.run("up", "--servers-only")
    assert "runs already (servers only)" in stack.run("up", "--servers-only")


def test_a_half_started_stack_goes_down(stack: Stack) -> None:
    supervisor = psutil.Popen(
        [sys.executable, "-m", "deploy.supervisor", "--servers-only"],
        env=stack.env,
    )
    until(lambda: stack.file.read().children)
    assert "stopped" in stack.run("down")
    assert supervisor.wait(30) == 0


def test_a_port_in_use_is_one_clear_error(stack: Stack) -> None:
    with socket.create_server(("127.0.0.1", stack.kafka)):
        told = cdp("up", env=stack.env)
    assert told.returncode == 1
    assert told.stderr.startswith(f"error: port {stack.kafka} is in use\n")
    assert "CDP_KAFKA" in told.stderr
    assert stack.processes() == []


def test_a_task_that_fails_is_told_with_the_end_of_its_log_and_all_is_stopped(stack: Stack) -> None:
    stack.env["CDP_LIFECYCLE"] = "no-such-preset"
    told = cdp("up", env=stack.env)
    assert told.returncode == 1
    assert told.stderr.startswith("error: cdp init failed\n")
    assert "no-such-preset" in told.stderr
    assert stack.processes() == []


def test_an_unknown_log_is_told(stack: Stack) -> None:
    told = cdp("logs", "nobody", env=stack.env)
    assert (told.returncode, told.stderr.splitlines()[0]) == (1, "error: no log of nobody")
