"""One program as a child of this process: started, checked, stopped or killed, with all that it forked."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from schemas.errors import ProcessFailed

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass
class Program:
    """A program to run: `start` it from a thread that outlives it, for on Linux it ends with its starter.

    `check` returns when the program answers by its own protocol and raises otherwise. Output goes to `log`,
    appended. The program leads a process group of its own; `stop` and `kill` leave nothing of it behind.
    """

    name: str
    argv: Sequence[str]
    log: Path
    check: Callable[[], None] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    stop_seconds: float = 30
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)
    _said_before: int = field(default=0, init=False, repr=False)

    @property
    def pid(self) -> int:
        """The process id of the present run; an error when it was never started."""
        if self._process is None:
            raise ProcessFailed(f"{self.name} was not started")
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How the last run ended (negative: by that signal); None while it runs or before the first run."""
        return None if self._process is None else self._process.poll()

    @property
    def alive(self) -> bool:
        """Whether it runs, healthy or not."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and return at once; `wait_ready` waits."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._said_before = output.tell()
            self._process = subprocess.Popen(
                list(self.argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.env},
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - one system call, no lock
            )

    def healthy(self) -> bool:
        """Whether it runs and answers its check (if it has one)."""
        if not self.alive:
            return False
        try:
            if self.check is not None:
                self.check()
        except Exception:  # noqa: BLE001 - whatever the protocol's client raises, it is no answer
            return False
        return True

    def wait_ready(self, timeout: float = 60) -> None:
        """Return when it is healthy; ProcessFailed with the end of its log when it ends or takes longer."""
        deadline = time.monotonic() + timeout
        while not self.healthy():
            if not self.alive:
                raise self.failure(f"{self.name} ended with exit code {self.exit_code}")
            if time.monotonic() > deadline:
                raise self.failure(f"{self.name} is not ready after {timeout:.0f} s")
            time.sleep(0.1)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it ends and return its exit code."""
        assert self._process is not None
        return self._process.wait(timeout)

    def terminate(self) -> None:
        """Ask it to end and return at once."""
        self.send(signal.SIGTERM)

    def stop(self) -> None:
        """Ask it to end, wait up to `stop_seconds`, then kill what is left of it."""
        self.terminate()
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(self.stop_seconds)
        self.kill()

    def kill(self) -> None:
        """Kill it and whatever it forked, as `kill -9` would."""
        if self._process is not None:
            kill_group(self._process.pid)
            self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal (SIGSTOP and SIGCONT among them); nothing happens when it has ended."""
        if self._process is not None:
            self._process.send_signal(number)

    def restart(self, timeout: float = 60) -> None:
        """Stop it if it runs, start it again on the same data and wait until it is ready."""
        self.stop()
        self.start()
        self.wait_ready(timeout)

    def failure(self, what: str) -> ProcessFailed:
        """Tell what went wrong, with the end of the log."""
        return ProcessFailed(
            what, str(self.log), "the end of its log:\n" + tail(self.log, 12, self._said_before)
        )


def kill_group(leader: int) -> None:
    """Kill every process of the group; nothing happens when there is none."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def tail(path: Path, lines: int, after: int = 0) -> str:
    """Return the last lines of a file after a place in it, of its last 64 KiB; nothing when there is no file."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(after, path.stat().st_size - 65536, 0))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


def _end_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
