"""Whether the servers listen, asked before a command would wait for them: they may just not have been started."""

import socket

from projections.connect import where
from schemas.errors import Unavailable
from schemas.settings import Settings

CONNECT_S = 1.0
"""For all addresses of a server together."""
HINT = "`cdp up` starts the local stack, `cdp status` shows it"


def check(settings: Settings, *, kafka: bool = True, clickhouse: bool = True) -> None:
    """Return where Kafka and ClickHouse take connections; Unavailable where nothing listens."""
    brokers = [_host_port(address.strip()) for address in settings.kafka.split(",")]
    if kafka and not any(_listens(*broker, CONNECT_S / len(brokers)) for broker in brokers):
        raise Unavailable("Kafka does not run: nothing listens there", settings.kafka, HINT)
    if clickhouse and not _listens(settings.clickhouse_host, settings.clickhouse_port, CONNECT_S):
        raise Unavailable("ClickHouse does not run: nothing listens there", where(settings), HINT)


def _host_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port) if port.isdigit() else 0


def _listens(host: str, port: int, seconds: float) -> bool:
    try:
        with socket.create_connection((host, port), timeout=seconds):
            return True
    except (OSError, OverflowError):
        return False
