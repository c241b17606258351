"""Where the local stack's servers are on this machine, or how to get them."""

import re
import shutil
import subprocess
from pathlib import Path

from schemas.errors import MissingTool

TOOLS = Path(__file__).parents[2] / ".tools"
SETUP = "run `make setup` in the project's folder"


def java() -> str:
    """Return the path of Java 17 or later."""
    path = shutil.which("java")
    hint = "on Debian: apt-get install openjdk-17-jre-headless"
    if path is None:
        raise MissingTool("Java is not installed (Kafka needs 17 or later)", "PATH", hint)
    told = subprocess.run([path, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version[1]) < 17:
        raise MissingTool("Java is too old (Kafka needs 17 or later)", path, hint)
    return path


def kafka_jars() -> Path:
    """Return the folder of Kafka's jars."""
    if not any((TOOLS / "kafka").glob("kafka_*.jar")):
        raise MissingTool("Kafka's jars are not here", str(TOOLS / "kafka"), SETUP)
    return TOOLS / "kafka"


def clickhouse_binary() -> str | None:
    """Return the path of a `clickhouse` binary, which is preferred to the embedded engine."""
    return shutil.which("clickhouse")


def chdb_library() -> Path:
    """Return the path of the embedded ClickHouse."""
    path = TOOLS / "chdb/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"
    if not path.exists():
        hint = (
            f"on Linux x64 {SETUP}; elsewhere put a `clickhouse` binary on PATH, or use deploy/compose.yaml"
        )
        raise MissingTool("ClickHouse is not here", str(path), hint)
    return path


def require_all() -> None:
    """Raise MissingTool for the first thing that the local stack needs and this machine has not."""
    java()
    kafka_jars()
    if clickhouse_binary() is None:
        chdb_library()
