"""When a supervised program is started, checked, given up and started again."""

from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

from deploy.program import Program, kill_group
from deploy.state import ChildState, ProcessId

FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
GOOD_RUN = 60.0
"""Seconds after which a run counts as good, and the next delay is the first again."""
CHECK_EVERY, HANGS_AFTER = 2.0, 30.0
STARTS_WITHIN = 180.0
"""Seconds without an answer after a start: a server first recovers what it was killed over."""
SETTLED_AFTER = 2.0
"""Seconds of life after which a program without a check counts as ready."""


def delay(failures: int) -> float:
    """Return the seconds to wait before a start after so many bad runs in a row (1 for the first)."""
    return float(min(LONGEST_DELAY, FIRST_DELAY * 2 ** (failures - 1)))


@dataclass
class Child:
    """A program that is kept running. All times are of one clock: the caller passes `now`."""

    program: Program
    port: int | None = None
    restarts: int = 0
    failures: int = 0
    last_exit: int | None = None
    state: str = "stopped"
    started: float = 0.0
    _due: float = 0.0
    _answered: float = 0.0
    _checked: float = 0.0
    _check: Future[bool] | None = field(default=None, repr=False)
    _process: ProcessId | None = None

    @property
    def ready(self) -> bool:
        """Whether it answers its check or, having none, has lived a moment."""
        return self.state == "ready"

    def start(self, now: float) -> None:
        """Start the program."""
        self.program.start()
        self._process = ProcessId.of(self.program.pid)
        self.state, self.started, self._answered, self._checked = "starting", now, now, now - CHECK_EVERY
        self._check = None

    def tick(self, now: float, executor: Executor) -> None:
        """Take note of what happened since the last call and do what is due; never blocks."""
        if self.state == "waiting":
            if now >= self._due:
                self.restarts += 1
                self.start(now)
        elif self.state != "stopped":
            self._look(now, executor)

    def stop(self) -> None:
        """Stop the program for good."""
        self.state = "stopped"
        self.program.stop()
        self._process = None

    def told(self, wall_minus_clock: float) -> ChildState:
        """Return what `cdp status` shows, its start by the wall clock."""
        return ChildState(
            name=self.program.name,
            state=self.state,
            process=self._process,
            started=self.started + wall_minus_clock if self._process else None,
            restarts=self.restarts,
            last_exit=self.last_exit,
            port=self.port,
        )

    def _look(self, now: float, executor: Executor) -> None:
        if not self.program.alive:
            self._ended(now)
        elif self.program.check is None:
            if now - self.started >= SETTLED_AFTER:
                self.state = "ready"
        elif now - self._answered > (STARTS_WITHIN if self.state == "starting" else HANGS_AFTER):
            self.program.kill()
            self._ended(now)
        else:
            self._ask(now, executor)

    def _ask(self, now: float, executor: Executor) -> None:
        if self._check is not None and self._check.done():
            if self._check.result():
                self.state, self._answered = "ready", now
            elif self.state == "ready":
                self.state = "silent"
            self._check = None
        pause = CHECK_EVERY if self.state == "ready" else CHECK_EVERY / 10
        if self._check is None and now - self._checked >= pause:
            self._check, self._checked = executor.submit(self.program.healthy), now

    def _ended(self, now: float) -> None:
        kill_group(self.program.pid)  # what it forked would hold its port
        self.last_exit, self._process = self.program.exit_code, None
        self.failures = 1 if now - self.started >= GOOD_RUN else self.failures + 1
        self.state, self._due = "waiting", now + delay(self.failures)
