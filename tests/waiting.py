"""Waiting for a condition instead of sleeping."""

import socket
import time
from collections.abc import Callable


def until(
    condition: Callable[[], object], what: str = "it came true", seconds: float = 60, every: float = 0.05
) -> None:
    """Return when the condition holds; fail when that takes longer."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(every)


def connects(port: int) -> bool:
    """Whether something listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
