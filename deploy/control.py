"""Starting and stopping the local stack from the command line."""

import os
import subprocess
import sys
import time

import psutil
from rich.console import Console

from deploy import stack
from deploy.config import environment
from deploy.program import kill_group, tail
from deploy.state import ProcessId, StackState, StateFile
from schemas.errors import ProcessFailed
from schemas.settings import Settings

STOP_PATIENCE = 150.0
CRASHED_PATIENCE = 10.0


def up(settings: Settings, *, servers_only: bool = False) -> None:
    """Start the stack unless it runs, and return when it is ready; CdpError says what kept it from that."""
    console, file = Console(), StateFile(settings.home)
    if file.holder() is not None:
        state = _follow(console, file)
        console.print(
            "cdp runs already" + (" (servers only)" if state.servers_only else "") + "; see: cdp status"
        )
        return
    _end_children(file.read())
    stack.check(settings, servers_only=servers_only)
    file.write(StackState(phase="starting"))
    supervisor = _launch(settings, servers_only=servers_only)
    _follow(console, file, supervisor)
    _tell_ready(console, settings, servers_only=servers_only)


def down(settings: Settings) -> None:
    """Stop the supervisor and all its children, also what a killed supervisor left behind."""
    console, file = Console(), StateFile(settings.home)
    supervisor = file.holder()
    with console.status("stopping"):
        if supervisor is not None:
            _end([supervisor], STOP_PATIENCE)
        left = _end_children(file.read())
    file.write(StackState(phase="stopped"))
    console.print("stopped" if supervisor or left else "cdp was not running")


def _launch(settings: Settings, *, servers_only: bool) -> "subprocess.Popen[bytes]":
    log = stack.log_of(settings, "supervisor")
    log.parent.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "deploy.supervisor", *(["--servers-only"] if servers_only else [])]
    with log.open("ab") as output:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment(settings)},
            start_new_session=True,
        )


def _follow(
    console: Console, file: StateFile, supervisor: "subprocess.Popen[bytes] | None" = None
) -> StackState:
    """Show what the supervisor does until it is ready; raise what it failed by."""
    with console.status("starting") as status:
        while True:
            ended = supervisor.poll() is not None if supervisor else file.holder() is None
            state = file.read()
            if state.phase == "ready":
                return state
            if ended and state.failure is not None:
                raise ProcessFailed(state.failure.what, state.failure.where, state.failure.hint)
            if ended:
                log = file.folder.parent / "logs" / "supervisor.log"
                raise ProcessFailed("the supervisor ended", str(log), tail(log, 12))
            status.update(state.doing or "starting")
            time.sleep(0.1)


def _tell_ready(console: Console, settings: Settings, *, servers_only: bool) -> None:
    console.print("[green]ready[/green]")
    if not servers_only:
        console.print(f"  ingest      http://{settings.ingest_host}:{settings.ingest_port}")
    console.print(f"  Kafka       {settings.kafka}")
    console.print(
        f"  ClickHouse  {settings.clickhouse_host}:{settings.clickhouse_port} (native), "
        f":{settings.clickhouse_http_port} (HTTP), user {settings.analyst_user}"
    )
    console.print("  cdp status | cdp logs | cdp down", highlight=False)


def _end_children(state: StackState) -> bool:
    """End the children of a supervisor that is gone, and what they forked; whether there were any."""
    known = [child.process for child in state.children if child.process is not None]
    left = _end(known, CRASHED_PATIENCE)
    for child in known:
        # A group keeps its leader's number, so a number without a process is no stranger's group.
        if not psutil.pid_exists(child.pid):
            kill_group(child.pid)
    return left


def _end(known: list[ProcessId], patience: float) -> bool:
    """Ask these processes to end, and kill those that did not in time; whether any ran."""
    left = [process for each in known if (process := each.process())]
    for process in left:
        process.terminate()
    deadline = time.monotonic() + patience
    while any(each.process() for each in known) and time.monotonic() < deadline:
        time.sleep(0.05)
    for each in known:
        if each.process():
            kill_group(each.pid)
    return bool(left)
