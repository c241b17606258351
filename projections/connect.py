"""Connections to ClickHouse: one Client a thread, and what its errors mean."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from clickhouse_driver import Client, errors

from schemas.errors import ConfigError, Unavailable
from schemas.settings import Settings

log = structlog.get_logger()
Answer = TypeVar("Answer")

AUTHENTICATION_FAILED = 516
logging.getLogger("clickhouse_driver").setLevel(logging.CRITICAL)  # its tracebacks: `retried` says it once
LOST = (errors.NetworkError, errors.SocketTimeoutError, EOFError, OSError)
"""Errors of a connection: what was sent may or may not have been executed."""


def connect(settings: Settings, database: str | None = None, analyst: bool = False) -> Client:
    """A client of the projections' database, or of another one; nothing is sent yet."""
    password = settings.analyst_password if analyst else settings.clickhouse_password
    return Client(
        settings.clickhouse_host,
        port=settings.clickhouse_port,
        user=settings.analyst_user if analyst else settings.clickhouse_user,
        password=password.get_secret_value(),
        database=settings.clickhouse_database if database is None else database,
        connect_timeout=5,
        send_receive_timeout=60,
        client_name="cdp",
    )


def where(settings: Settings) -> str:
    """The server, as errors name it."""
    return f"ClickHouse at {settings.clickhouse_host}:{settings.clickhouse_port}"


def reason(error: BaseException) -> str:
    """An error in one line, without the server's stack."""
    text = str(getattr(error, "message", "") or error or type(error).__name__)
    return " ".join(text.split("Stack trace", maxsplit=1)[0].split())[:300]


def retried(settings: Settings, action: Callable[[], Answer], patience: float) -> Answer:
    """The action's answer, tried again with a back-off while ClickHouse cannot be reached.

    It is said once that it is away and once that it is back; Unavailable after `patience` seconds, ConfigError at
    once where the password is wrong.
    """
    delay, said, end = 0.1, False, time.monotonic() + patience
    while True:
        try:
            answer = action()
        except errors.ServerException as error:
            if error.code != AUTHENTICATION_FAILED:
                raise
            hint = "CDP_CLICKHOUSE_USER and CDP_CLICKHOUSE_PASSWORD, or those of the analyst"
            raise ConfigError("the user or its password is wrong", where(settings), hint) from None
        except LOST as error:
            if time.monotonic() + delay > end:
                raise Unavailable(reason(error), where(settings), "is it running? `cdp status`") from None
            if not said:
                log.warning("clickhouse_unreachable", where=where(settings), error=reason(error))
                said = True
            time.sleep(delay)
            delay = min(delay * 2, 5.0)
        else:
            if said:
                log.info("clickhouse_recovered", where=where(settings))
            return answer
