"""The local stack of some settings: its servers, its tasks and its services, none of them started."""

import sys
import urllib.request
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from deploy.config import environment
from deploy.localstack import tools
from deploy.localstack.clickhouse_server import Users, clickhouse
from deploy.localstack.kafka_server import kafka
from deploy.localstack.ports import LOOPBACK, require_free
from deploy.program import Program
from deploy.supervision import Child
from schemas.errors import ConfigError
from schemas.settings import Settings

TASKS = ("init", "migrate")
SINKS = (
    ("events",),
    ("state", "lifecycle-changes", "segment-changes", "identity-changes", "rejected"),
)
"""The projections of each sink: two processes with about the same work, for Python uses one core in each."""
ON_LOOPBACK = ("127.0.0.1", "localhost")


def kafka_port(settings: Settings) -> int:
    """Return the port of the local broker (its controller has the next); ConfigError if not local."""
    host, _, port = settings.kafka.partition(":")
    if host not in ON_LOOPBACK or not port.isdigit():
        hint = "the local stack runs Kafka on loopback: unset it, or set it to 127.0.0.1:PORT"
        raise ConfigError("Kafka is configured to be elsewhere", f"CDP_KAFKA={settings.kafka}", hint)
    return int(port)


def check(settings: Settings, *, servers_only: bool) -> None:
    """Raise for the first thing that keeps the stack from starting: a setting, a missing tool, a port."""
    if settings.clickhouse_host not in ON_LOOPBACK:
        where = f"CDP_CLICKHOUSE_HOST={settings.clickhouse_host}"
        raise ConfigError(
            "ClickHouse is configured to be elsewhere", where, "the local stack runs it on loopback"
        )
    port = kafka_port(settings)
    tools.require_all()
    require_free(port, "CDP_KAFKA=127.0.0.1:PORT")
    require_free(port + 1, "CDP_KAFKA=127.0.0.1:PORT (the controller has the next port)")
    require_free(settings.clickhouse_port, "CDP_CLICKHOUSE_PORT")
    require_free(settings.clickhouse_http_port, "CDP_CLICKHOUSE_HTTP_PORT")
    if not servers_only:
        require_free(settings.ingest_port, "CDP_INGEST_PORT")


def servers(settings: Settings) -> list[Child]:
    """Return ClickHouse and Kafka on the data under `home`."""
    users = Users(
        writer=settings.clickhouse_user,
        writer_password=settings.clickhouse_password.get_secret_value(),
        analyst=settings.analyst_user,
        analyst_password=settings.analyst_password.get_secret_value(),
        database=settings.clickhouse_database,
    )
    tcp, http = settings.clickhouse_port, settings.clickhouse_http_port
    port = kafka_port(settings)
    return [
        Child(
            clickhouse(settings.home / "clickhouse", tcp, http, users, log_of(settings, "clickhouse")), tcp
        ),
        Child(kafka(settings.home / "kafka", port, port + 1, log_of(settings, "kafka")), port),
    ]


def task(settings: Settings, name: str) -> Program:
    """Return a command of `cdp` that runs once before the services."""
    return _cdp(settings, name, name)


def services(settings: Settings) -> list[Child]:
    """Return sinks, workers, ingest and thresholds in the order of starting; they are stopped in the opposite."""
    sinks = [_cdp(settings, "sink", f"sink-{names[0]}", arguments=names) for names in SINKS]
    workers = [_cdp(settings, "worker", f"worker-{n}") for n in range(1, settings.workers + 1)]
    url = f"http://{LOOPBACK}:{settings.ingest_port}/ready"
    ingest = _cdp(settings, "ingest", "ingest", partial(_get, url))
    return [
        *(Child(sink) for sink in sinks),
        *(Child(worker) for worker in workers),
        Child(ingest, settings.ingest_port),
        Child(_cdp(settings, "thresholds", "thresholds", arguments=["--follow"])),
    ]


def log_of(settings: Settings, name: str) -> Path:
    """Return where the log of a process is."""
    return settings.home / "logs" / f"{name}.log"


def _cdp(
    settings: Settings,
    command: str,
    name: str,
    check: Callable[[], None] | None = None,
    arguments: Sequence[str] = (),
) -> Program:
    argv = [sys.executable, "-m", "deploy", command, *arguments]
    env = {**environment(settings), "CDP_INSTANCE": name}
    return Program(name, argv, log_of(settings, name), check, env, stop_seconds=20)


def _get(url: str) -> None:
    with urllib.request.urlopen(url, timeout=4) as answer:  # noqa: S310 - ours
        answer.read()
