"""Definitions that failed on customers' data are counted, and named in the log: each at most once a minute."""

import time
from collections import Counter
from collections.abc import Callable, Mapping

import structlog

log = structlog.get_logger()
EACH_S = 60.0


class Failures:
    """What failed since it was last told."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[str, float] = {}
        self._counts: Counter[str] = Counter()

    def note(self, failed: Mapping[str, int]) -> None:
        """Count failures by definition, and tell of those of which was not told for a minute."""
        self._counts.update(failed)
        for definition in sorted(failed):
            now = self._clock()
            if now - self._told.get(definition, -EACH_S) >= EACH_S:
                self._told[definition] = now
                times = self._counts.pop(definition)
                log.warning(
                    "a definition fails on customers' data: false there", definition=definition, times=times
                )
