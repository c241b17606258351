"""(2) Ingest, acknowledged: single posts and batches of 100, beside the same server that only parses.

Both servers run at once, and are loaded in turns, so that they meet the same machine.
"""

import http.client
import subprocess
import sys
from typing import NamedTuple

import orjson

from bench.figures import Result
from bench.platform import platform
from bench.usage import cpu_seconds, memory_mb
from deploy.localstack.ports import LOOPBACK, free_ports
from deploy.program import Program
from schemas.errors import ProcessFailed

SECONDS, TURNS = 5, 3
LOADS = (
    (1, 64, "single posts, 64 connections"),
    (1, 256, "single posts, 256 connections"),
    (100, 16, "batches of 100"),
)
"""Events a request, connections, name. Who waits for a broker needs more connections than a mere parser to be busy:
with few, the first shows how long an answer takes, the second what can be answered."""
ABOUT = "One ingest, every answer after the broker's acknowledgement; peer: Starlette on granian that reads and parses"


class Turn(NamedTuple):
    """What one server did under load: events, seconds, its CPU seconds, p99 in ms."""

    events: float
    seconds: float
    cpu: float
    p99: float


def ingest() -> Result:
    """Measure ingest."""
    result = Result("ingest", ABOUT)
    with platform() as mine:
        (port,) = free_ports(1)
        server = mine.cdp("ingest")
        peer = mine.run("peer", [sys.executable, "-m", "bench.ingest_peer", str(port)])
        server.check = lambda: _get(mine.settings.ingest_port, "/ready", 200)
        peer.check = lambda: _get(port, "/ready", 404)
        server.wait_ready()
        peer.wait_ready()
        for batch, connections, name in LOADS:
            load(mine.settings.ingest_port, server, batch, connections, 2)
            ours, theirs = list[Turn](), list[Turn]()
            for _ in range(TURNS):
                theirs.append(load(port, peer, batch, connections))
                ours.append(load(mine.settings.ingest_port, server, batch, connections))
            _note(result, name, ours, theirs)
        for process in ("ingest", "peer", "kafka"):
            result.memory[process] = memory_mb(mine.programs[process].pid)
    return result


def load(port: int, server: Program, batch: int, connections: int, seconds: int = SECONDS) -> Turn:
    """Load a server; ProcessFailed where it answers anything but success."""
    before = cpu_seconds(server.pid)
    argv = [sys.executable, "-m", "bench.load", str(port), str(batch), str(connections), str(seconds)]
    found = orjson.loads(subprocess.run(argv, capture_output=True, check=True).stdout)
    if found["others"] or not found["events"]:
        raise ProcessFailed(
            f"{server.name} answered {found['others']} requests with something else than success"
        )
    return Turn(found["events"], found["seconds"], cpu_seconds(server.pid) - before, found["p99"])


def _note(result: Result, name: str, ours: list[Turn], theirs: list[Turn]) -> None:
    mine, peers = _rate(ours), _rate(theirs)
    result.add(f"{name}: events a second", mine, "1/s", 0.5 * peers, "at least")
    result.add(f"{name}: peer's events a second", peers, "1/s")
    result.add(f"{name}: share of the peer's", 100 * mine / peers, "%", 50, "at least")
    result.add(f"{name}: p99", sorted(turn.p99 for turn in ours)[len(ours) // 2], "ms")
    result.add(f"{name}: CPU an event", _cpu_us(ours), "µs")
    result.add(f"{name}: peer's CPU an event", _cpu_us(theirs), "µs")


def _rate(turns: list[Turn]) -> float:
    return sum(turn.events for turn in turns) / sum(turn.seconds for turn in turns)


def _cpu_us(turns: list[Turn]) -> float:
    return sum(turn.cpu for turn in turns) / sum(turn.events for turn in turns) * 1e6


def _get(port: int, path: str, status: int) -> None:
    """Return where a server answers with this status; raise otherwise."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", path)
        assert connection.getresponse().status == status
    finally:
        connection.close()
