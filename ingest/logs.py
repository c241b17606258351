"""How processes of this room tell what they do: one JSON line each, on standard error."""

import logging
import sys

import structlog


def configure(*quiet: str) -> None:
    """One JSON line each; libraries that repeat themselves (`quiet`) are said once, by us."""
    for name in ("aiokafka", "asyncio", *quiet):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
