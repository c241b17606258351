"""Time limits for many tasks at once, on one timer: a timer each costs more than reading a body that is there."""

import asyncio
import time
from itertools import takewhile
from typing import Any


class Deadlines:
    """Cancels tasks that take longer than `seconds`, all the same, from `begin` to `end`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due: dict[asyncio.Task[Any], float] = {}  # in the order of their times
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> asyncio.Task[Any]:
        """Start the running task's time; the task is what to `end`."""
        task = asyncio.current_task()
        assert task is not None
        self._due[task] = time.monotonic() + self._seconds
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._sweep)
        return task

    def end(self, task: asyncio.Task[Any]) -> bool:
        """Stop a task's time; False where it was up and the task has been cancelled."""
        return self._due.pop(task, None) is not None

    def _sweep(self) -> None:
        now = time.monotonic()
        for task, _ in list(takewhile(lambda entry: entry[1] <= now, self._due.items())):
            del self._due[task]
            task.cancel()
        self._timer = None
        for due in self._due.values():
            self._timer = asyncio.get_running_loop().call_later(due - now, self._sweep)
            break
