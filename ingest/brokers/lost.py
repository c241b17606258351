"""Why kafka-python lost its last connection: it says so in its log alone, and raises that it could not bootstrap."""

import logging

LOGGER, CLOSED = "kafka.net.connection", "socket disconnected"


class Lost(logging.Handler):
    """Remembers the last reason that is more than that it is closed, where there is one; `reason` may be emptied."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.reason = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Hear of a connection that was lost."""
        reason = record.getMessage().rpartition("Connection lost: ")[2]
        if not self.reason or CLOSED not in reason:
            self.reason = reason

    def listen(self) -> "Lost":
        """Hear from now on, instead of the log."""
        logger = logging.getLogger(LOGGER)
        logger.handlers, logger.propagate = [self], False
        logger.setLevel(logging.ERROR)
        return self
