"""`cdp status` and `cdp logs`: what the local stack does."""

import time
from datetime import timedelta

import psutil
from rich.console import Console
from rich.table import Table

from deploy import terminal
from deploy.logs import follow as follow_logs
from deploy.program import tail
from deploy.state import ChildState, ProcessId, StateFile
from schemas.errors import NotFound
from schemas.settings import Settings

COLUMNS = ("name", "pid", "state", "uptime", "restarts", "last exit", "port", "memory")


def show(settings: Settings) -> bool:
    """Print a table of the processes; whether the stack runs."""
    console, file = terminal.console(), StateFile(settings.home)
    if file.holder() is None:
        console.print("cdp does not run; start it: cdp up")
        return False
    state = file.read()
    table = Table(*COLUMNS, box=None, header_style="bold")
    for child in state.children:
        table.add_row(*_row(child, time.time()))
    console.print(f"{state.phase} {state.doing}".strip())
    console.print(table)
    return True


def show_logs(settings: Settings, name: str | None, *, follow: bool, lines: int) -> None:
    """Print the last lines of one log or of all, then what comes; NotFound when there is no such log.

    Of what runs several times, as worker-1 and worker-2, `worker` names all.
    """
    console, folder = Console(), settings.home / "logs"
    paths = sorted({path for form in _forms(name) for path in folder.glob(form)})
    if not paths:
        raise NotFound(f"no log of {name or 'anything'}", str(folder), "names are those of: cdp status")
    for path in paths:
        for line in tail(path, lines).splitlines():
            console.out(f"{path.stem} | {line}", highlight=False)
    if follow:
        for source, line in follow_logs(paths):
            console.out(f"{source} | {line}", highlight=False)


def _forms(name: str | None) -> tuple[str, ...]:
    return (f"{name}.log", f"{name}-[0-9]*.log") if name else ("*.log",)


def _row(child: ChildState, now: float) -> list[str]:
    uptime = str(timedelta(seconds=int(now - child.started))) if child.started else ""
    pid = str(child.process.pid) if child.process else ""
    exit_code = "" if child.last_exit is None else str(child.last_exit)
    port = str(child.port or "")
    return [
        child.name,
        pid,
        child.state,
        uptime,
        str(child.restarts),
        exit_code,
        port,
        _memory(child.process),
    ]


def _memory(known: ProcessId | None) -> str:
    process = known.process() if known else None
    if process is None:
        return ""
    try:
        family = [process, *process.children(recursive=True)]
        return f"{sum(member.memory_info().rss for member in family) / 2**20:.0f} MiB"
    except psutil.NoSuchProcess:
        return ""
