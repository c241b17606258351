"""What is said of requests that are not genuine: by their source, at most once a minute, nothing of what was sent."""

import time
from collections.abc import Callable

import structlog

SECONDS = 60.0
"""For so long nothing more is said of a source; what comes meanwhile is counted."""

say = structlog.get_logger("ingest.hooks")


class Strangers:
    """Those of all sources; `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[str, int] = {}
        self._until: dict[str, float] = {}

    def came(self, source: str, why: str) -> None:
        """One more request to a source is answered 401: `why` is in words of ours, of the one that is said."""
        since, now = self._since.get(source, 0) + 1, self._clock()
        if now < self._until.get(source, now):
            self._since[source] = since
            return
        self._since[source], self._until[source] = 0, now + SECONDS
        say.warning("not genuine: answered 401", source=source, requests=since, why=why)
