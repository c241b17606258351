"""A deployment of its own for a benchmark: real servers and processes in a temporary folder, gone when it is over."""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from deploy.init import init
from deploy.localstack.clickhouse_server import start_clickhouse
from deploy.localstack.kafka_server import start_kafka
from deploy.localstack.ports import LOOPBACK, free_ports
from deploy.program import Program
from projections.migrate import migrate
from schemas.definitions import PRESETS
from schemas.settings import Settings

SECRET = "a secret of benchmarks, of no worth"
NOTHING: Mapping[str, str] = {}
LIFECYCLE_ONLY = {"lifecycle": str(PRESETS / "ecommerce.yaml")}
"""Settings of a deployment that is founded with a lifecycle and no other definitions."""


class Platform:
    """The servers that run, the settings of everything beside them, and the processes started so far."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder, self.settings = folder, settings
        self.programs: dict[str, Program] = {}

    def cdp(self, command: str, *arguments: str, **settings: str) -> Program:
        """Start `cdp COMMAND ARGUMENT…`, named after the first two words; it is stopped with the platform."""
        name = "-".join((command, *arguments[:1]))
        argv = [sys.executable, "-m", "deploy", command, *arguments]
        return self.run(name, argv, {"CDP_INSTANCE": name, **settings})

    def run(self, name: str, argv: list[str], env: Mapping[str, str] | None = None) -> Program:
        """Start a program in the deployment's environment; it is stopped with the platform."""
        log = self.folder / "logs" / f"{name}.log"
        program = Program(name, argv, log, env=environment(self.settings) | dict(env or {}), stop_seconds=20)
        self.adopt(name, program)
        program.start()
        return program

    def adopt(self, name: str, program: Program) -> None:
        """Stop this program with the platform too."""
        self.programs[name] = program

    def stop(self) -> None:
        """End every process, the servers last."""
        for program in reversed(self.programs.values()):
            program.stop()


@contextmanager
def platform(*, clickhouse: bool = False, founded: Mapping[str, str] = NOTHING) -> Iterator[Platform]:
    """A founded deployment with a broker of its own (and a database where it is asked for), no process of ours yet.

    `founded`: settings that say with what. The preset's definitions are in force where they say nothing.
    """
    with tempfile.TemporaryDirectory(prefix="cdp-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        kafka_port, controller, tcp, http, ingest = free_ports(5)
        settings = Settings.model_validate(
            {
                "home": folder,
                "kafka": f"{LOOPBACK}:{kafka_port}",
                "clickhouse_port": tcp,
                "clickhouse_http_port": http,
                "ingest_port": ingest,
                "key_secret": SecretStr(SECRET),
                **founded,
            }
        )
        mine = Platform(folder, settings)
        try:
            mine.adopt("kafka", start_kafka(folder / "kafka", kafka_port, controller))
            if clickhouse:
                mine.adopt("clickhouse", start_clickhouse(folder / "clickhouse", tcp, http))
            for server in list(mine.programs.values()):
                server.wait_ready()
            init(settings)
            if clickhouse:
                migrate(settings)
            yield mine
        finally:
            mine.stop()


def environment(settings: Settings) -> dict[str, str]:
    """The settings as the CDP_* variables of a child."""
    values = {**settings.model_dump(exclude_none=True), "key_secret": settings.key_secret.get_secret_value()}
    values |= {name: getattr(settings, name).get_secret_value() for name in _SECRETS}
    return {f"CDP_{name.upper()}": str(value) for name, value in values.items()}


_SECRETS = ("key_secret", "clickhouse_password", "analyst_password")
