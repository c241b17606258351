"""(2) Ingest, acknowledged: single posts and batches, beside the same server that only parses.

Both servers run at once, and are loaded in turns, so that they meet the same machine. What a browser sends is measured
twice: with plan and enrichment off, and with all of it on.
"""

import http.client
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import orjson

from bench.figures import Result
from bench.geo import synthetic_geo
from bench.platform import Platform, platform
from bench.usage import cpu_seconds, memory_mb
from deploy.localstack.ports import LOOPBACK, free_ports
from deploy.program import Program
from deploy.sources.log import write
from schemas import plan
from schemas.errors import ProcessFailed
from schemas.settings import Settings

SECONDS, TURNS = 3, 3
HERE = Path(__file__).parent


class Load(NamedTuple):
    """What is sent: events a request, over so many connections."""

    batch: int
    connections: int
    name: str
    browser: bool = False


LOADS = (
    Load(1, 64, "single posts, 64 connections"),
    Load(1, 256, "single posts, 256 connections"),
    Load(100, 16, "batches of 100"),
    Load(1, 256, "a browser's single posts", browser=True),
    Load(10, 64, "a browser's batches of 10", browser=True),
    Load(100, 16, "a browser's batches of 100", browser=True),
    Load(500, 8, "a browser's batches of 500", browser=True),
)
"""Who waits for a broker needs more connections than a mere parser to be busy: with few, the first shows how long an
answer takes, the second what can be answered."""
ABOUT = "One ingest, every answer after the broker's acknowledgement; peer: Starlette on granian that reads and parses"


class Turn(NamedTuple):
    """What one server did under load: events, seconds, its CPU seconds, p99 in ms."""

    events: float
    seconds: float
    cpu: float
    p99: float


Server = tuple[int, Program]
"""Port and process."""


def ingest() -> Result:
    """Measure ingest."""
    result = Result("ingest", ABOUT)
    with platform(founded={"sources": str(HERE / "sources.yaml"), "trusted_proxies": "1"}) as mine:
        _publish_plan(mine.settings)
        ours, peers = both(mine)
        for load in LOADS:
            _measure(result, load, ours, peers)
        for process in ("ingest", "peer", "kafka"):
            result.memory[process] = memory_mb(mine.programs[process].pid)
    return result


def both(mine: Platform, **settings: str) -> tuple[Server, Server]:
    """Ingest, and its peer, ready; `settings` are of the former."""
    (port,) = free_ports(1)
    server = mine.cdp("ingest", CDP_GEO=str(synthetic_geo(mine.folder / "geo.mmdb")), **settings)
    peer = mine.run("peer", [sys.executable, "-m", "bench.ingest_peer", str(port)])
    server.check = lambda: _get(mine.settings.ingest_port, "/ready", 200)
    peer.check = lambda: _get(port, "/ready", 404)
    server.wait_ready()
    peer.wait_ready()
    return (mine.settings.ingest_port, server), (port, peer)


def _measure(result: Result, load: Load, ours: Server, peers: Server) -> None:
    """Load both in turns, and note what they did."""
    sources = ("plain", "all") if load.browser else ("server",)
    turns: dict[str, list[Turn]] = {name: [] for name in (*sources, "peer")}
    for source in sources:
        post(ours, load, source, 1)
    for _ in range(TURNS):
        turns["peer"].append(post(peers, load, sources[0]))
        for source in sources:
            turns[source].append(post(ours, load, source))
    _note(result, load.name, turns[sources[0]], turns["peer"])
    if load.browser:
        _note_all(result, load.name, turns["all"], turns)


def post(server: Server, load: Load, source: str, seconds: int = SECONDS) -> Turn:
    """Load a server; ProcessFailed where it answers anything but success."""
    port, process = server
    before = cpu_seconds(process.pid)
    numbers = map(str, (port, load.batch, load.connections, seconds))
    argv = [sys.executable, "-m", "bench.load", source, *numbers]
    found = orjson.loads(subprocess.run(argv, capture_output=True, check=True).stdout)
    if found["others"] or not found["events"]:
        raise ProcessFailed(
            f"{process.name} answered {found['others']} requests with something else than success"
        )
    return Turn(found["events"], found["seconds"], cpu_seconds(process.pid) - before, found["p99"])


def _note(result: Result, name: str, ours: list[Turn], theirs: list[Turn]) -> None:
    mine, peers = rate(ours), rate(theirs)
    result.add(f"{name}: events a second", mine, "1/s", 0.5 * peers, "at least")
    result.add(f"{name}: peer's events a second", peers, "1/s")
    result.add(f"{name}: share of the peer's", 100 * mine / peers, "%", 50, "at least")
    result.add(f"{name}: p99", _p99(ours), "ms")
    result.add(f"{name}: CPU an event", cpu_us(ours), "µs")
    result.add(f"{name}: peer's CPU an event", cpu_us(theirs), "µs")


def _note_all(result: Result, name: str, ours: list[Turn], turns: dict[str, list[Turn]]) -> None:
    result.add(f"{name}, plan and enrichment: events a second", rate(ours), "1/s")
    share = 100 * rate(ours) / rate(turns["peer"])
    result.add(f"{name}, plan and enrichment: share of the peer's", share, "%")
    result.add(f"{name}, plan and enrichment: p99", _p99(ours), "ms")
    result.add(f"{name}, plan and enrichment: CPU an event", cpu_us(ours), "µs")


def _publish_plan(settings: Settings) -> None:
    known = plan.load(HERE / "plan.yaml")
    record = plan.Plan(**dict(known), version=1, published_at=0, because="the benchmark")
    write(settings, lambda _: {plan.key_of(record): record.model_dump_json().encode()})


def _p99(turns: list[Turn]) -> float:
    return sorted(turn.p99 for turn in turns)[len(turns) // 2]


def rate(turns: list[Turn]) -> float:
    """Events a second."""
    return sum(turn.events for turn in turns) / sum(turn.seconds for turn in turns)


def cpu_us(turns: list[Turn]) -> float:
    """CPU an event of the process that was loaded, µs."""
    return sum(turn.cpu for turn in turns) / sum(turn.events for turn in turns) * 1e6


def _get(port: int, path: str, status: int) -> None:
    """Return where a server answers with this status; raise otherwise."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", path)
        assert connection.getresponse().status == status
    finally:
        connection.close()
