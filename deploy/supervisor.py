"""The process behind `cdp up`: starts servers, tasks and services in order and keeps them until SIGTERM."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from deploy import logs, stack
from deploy.config import load_settings
from deploy.state import Failure, StackState, StateFile
from deploy.supervision import Child
from schemas.errors import CdpError
from schemas.settings import Settings

TICK = 0.1
PATIENCE = 180.0
"""Seconds in which a group of processes must become ready, or a task end."""
BAD_STARTS = 3
ROTATE_EVERY = 10.0


class Stopped(Exception):
    """Somebody asked the supervisor to end while it was starting."""


class Supervisor:
    """One stack in one process. Its children start from the main thread, for they end with it."""

    def __init__(self, settings: Settings, *, servers_only: bool) -> None:
        self.settings, self.file = settings, StateFile(settings.home)
        self.state = StackState(phase="starting", servers_only=servers_only)
        self.children: list[Child] = []
        self.asked_to_end = threading.Event()
        self.checks = ThreadPoolExecutor(thread_name_prefix="check")
        self.rotated = 0.0
        self.told: StackState | None = None

    def run(self) -> int:
        """Serve until asked to end, or until the stack cannot start; the exit code."""
        try:
            self._start()
            self.state.phase, self.state.doing = "ready", ""
            self._until(lambda: False)
        except Stopped:
            pass
        except CdpError as error:
            self.state.failure = Failure(what=error.what, where=error.where, hint=error.hint)
        self._stop()
        self.state.phase = "failed" if self.state.failure else "stopped"
        self._tell()
        self.checks.shutdown(wait=False, cancel_futures=True)
        return 1 if self.state.failure else 0

    def _start(self) -> None:
        self._bring_up("Kafka and ClickHouse", lambda: stack.servers(self.settings))
        if self.state.servers_only:
            return
        for name in stack.TASKS:
            self._run_task(name)
        self._bring_up("ingest, workers and sinks", lambda: stack.services(self.settings))

    def _bring_up(self, what: str, make: Callable[[], Sequence[Child]]) -> None:
        self._doing(f"starting {what}")
        group = list(make())
        for child in group:
            self.children.append(child)
            child.start(time.monotonic())
        self._until(lambda: all(child.ready for child in group) or _failed(group), PATIENCE)
        for child in group:
            if not child.ready:
                ended = f"ended with exit code {child.last_exit}" if child.failures else "does not get ready"
                raise child.program.failure(f"{child.program.name} {ended}")

    def _run_task(self, name: str) -> None:
        self._doing(f"running cdp {name}")
        program = stack.task(self.settings, name)
        program.start()
        try:
            self._until(lambda: not program.alive, PATIENCE)
            if program.exit_code != 0:
                raise program.failure(f"cdp {name} " + ("does not end" if program.alive else "failed"))
        finally:
            program.stop()

    def _until(self, done: Callable[[], bool], patience: float = float("inf")) -> None:
        deadline = time.monotonic() + patience
        while not done() and time.monotonic() < deadline:
            if self.asked_to_end.wait(TICK):
                raise Stopped
            self._tick(time.monotonic())

    def _tick(self, now: float) -> None:
        for child in self.children:
            child.tick(now, self.checks)
        if now - self.rotated >= ROTATE_EVERY:
            logs.rotate(self.settings.home / "logs")
            self.rotated = now
        self._tell()

    def _stop(self) -> None:
        self.state.phase, self.state.doing = "stopping", ""
        for child in reversed(self.children):
            self._tell()
            child.stop()

    def _doing(self, what: str) -> None:
        self.state.doing = what
        self._tell()

    def _tell(self) -> None:
        offset = time.time() - time.monotonic()
        state = self.state.model_copy(update={"children": [c.told(round(offset)) for c in self.children]})
        if state != self.told:
            self.file.write(state)
            self.told = state


def main(arguments: list[str]) -> int:
    """Run the supervisor of these settings; 0 at once when another has the home folder."""
    settings = load_settings()
    with StateFile(settings.home).lock() as ours:
        if not ours:
            return 0
        supervisor = Supervisor(settings, servers_only="--servers-only" in arguments)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: supervisor.asked_to_end.set())
        return supervisor.run()


def _failed(group: Sequence[Child]) -> bool:
    return any(child.failures >= BAD_STARTS for child in group)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
