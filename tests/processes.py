"""Our own processes as children of a test: `python -m deploy worker` and its like, with settings as CDP_* variables."""

import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr

from deploy.program import Program
from schemas.settings import Settings

SECRET = "a secret of the tests, long enough for them"


def environment(settings: Settings) -> dict[str, str]:
    """The variables that give a process these settings."""
    given = settings.model_dump(mode="json", exclude_none=True)
    secrets = {name: value.get_secret_value() for name, value in settings if isinstance(value, SecretStr)}
    return {f"CDP_{name.upper()}": str(value) for name, value in {**given, **secrets}.items()}


class Process(Program):
    """One of our processes; `log` is all that it ever said, over all its runs."""

    def __init__(self, command: str, settings: Settings, name: str = "") -> None:
        log = Path(settings.home) / f"{name or command}.log"
        argv = [sys.executable, "-m", "deploy", *command.split()]
        env = {**environment(settings), "CDP_INSTANCE": name or command.replace(" ", "-")}
        super().__init__(name or command, argv, log, env=env)

    def said(self) -> str:
        """All that it wrote, on both streams."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def pause(self) -> None:
        """SIGSTOP."""
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self.send(signal.SIGCONT)

    def end(self, seconds: float = 20) -> int:
        """SIGTERM; gives its exit code once it has ended."""
        self.terminate()
        return self.wait(seconds)


@contextlib.contextmanager
def running(*processes: Process) -> Iterator[None]:
    """The processes started; whatever the test leaves of them is killed."""
    try:
        for process in processes:
            process.start()
        yield
    finally:
        for process in processes:
            process.kill()
