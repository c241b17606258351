"""What the supervisor tells the command line: a small file, and a lock that says whether it is alive."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import psutil
from pydantic import BaseModel, ValidationError

LOCK_PATIENCE = 1.0
Phase = Literal["starting", "ready", "failed", "stopping", "stopped"]


class ProcessId(BaseModel):
    """A process, told from a later one that got the same number."""

    pid: int
    born: float

    @classmethod
    def of(cls, pid: int) -> "ProcessId":
        """Return the identity of this process, or of a child that was not waited for."""
        return cls(pid=pid, born=psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """Return the process while it runs."""
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            if process.create_time() == self.born and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None


class ChildState(BaseModel):
    """One supervised process as `cdp status` shows it."""

    name: str
    state: str
    process: ProcessId | None
    started: float | None
    restarts: int
    last_exit: int | None
    port: int | None


class Failure(BaseModel):
    """Why the stack did not come up: the parts of a CdpError."""

    what: str
    where: str
    hint: str


class StackState(BaseModel):
    """The whole stack at a moment."""

    phase: Phase
    doing: str = ""
    servers_only: bool = False
    failure: Failure | None = None
    children: list[ChildState] = []


class StateFile:
    """The state file and the lock of one home folder."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "run"
        self.path = self.folder / "state.json"
        self.holder_path = self.folder / "supervisor"

    def read(self) -> StackState:
        """Return what was last written, `stopped` when nothing was."""
        if not self.path.exists():
            return StackState(phase="stopped")
        return StackState.model_validate_json(self.path.read_bytes())

    def write(self, state: StackState) -> None:
        """Replace the file in one step, so that a reader never sees half of it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".new")
        draft.write_text(state.model_dump_json(indent=2))
        draft.replace(self.path)

    @contextlib.contextmanager
    def lock(self) -> Iterator[bool]:
        """Hold the supervisor's lock and tell who does; False when another process holds it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.holder_path.open("a+") as file:
            ours = _locked(file.fileno(), LOCK_PATIENCE)
            if ours:
                file.truncate(0)
                file.write(ProcessId.of(os.getpid()).model_dump_json())
                file.flush()
            yield ours

    def holder(self) -> ProcessId | None:
        """Return the supervisor that runs, None when there is none."""
        if not self.holder_path.exists():
            return None
        deadline = time.monotonic() + LOCK_PATIENCE
        while time.monotonic() < deadline:
            with self.holder_path.open() as file:
                if _locked(file.fileno(), 0):
                    return None
                with contextlib.suppress(ValidationError):  # who just locked has not written yet
                    known = ProcessId.model_validate_json(file.read())
                    if known.process() is not None:
                        return known
            time.sleep(0.02)
        return None


def _locked(file: int, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)  # somebody only looks whether it is held
        else:
            return True
