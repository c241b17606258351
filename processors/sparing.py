"""Logs that say a thing seldom."""

import logging

SPARING_S = 60.0


class Sparing(logging.Filter):
    """Lets what a library says again and again, while Kafka is away, through once a minute."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this was not said for a minute."""
        said = self._said.get(record.msg)
        if said is not None and record.created - said < SPARING_S:
            return False
        self._said[record.msg] = record.created
        return True
