"""(1) The fold: one `cdp worker`, durable and exactly once, beside a bare loop over the same topic.

The CPU is the worker's whole process (RocksDB's threads and the consumer's work among it), between the first and the
last transaction that it committed.
"""

import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import orjson

from bench.figures import Result
from bench.log import Progress, Written, write
from bench.platform import LIFECYCLE_ONLY, SECRET, Platform, platform
from bench.synthetic import Record, events, people
from bench.usage import cpu_seconds, memory_mb
from deploy.program import Program, tail
from processors.store import Store
from schemas.errors import ProcessFailed
from schemas.settings import Settings
from schemas.state import Cluster
from schemas.topics import EVENTS

EVENTS_COUNT, CUSTOMERS, MANY_CUSTOMERS = 500_000, 50_000, 500_000
SEED = 7
ONE_IDENTIFIER = (1, 1, 0)
"""Known by a user_id or an anonymous_id: every event comes to a root. What uniting costs is in `bench identity`."""
ABOUT = (
    f"One worker, {EVENTS_COUNT:,} synthetic events of {CUSTOMERS:,} customers (Zipf 1.0), one identifier each, "
    "over 5 days, a lifecycle alone (preset ecommerce), a tick an hour in each of 8 partitions and the live clock's; "
    "peer: aiokafka + orjson + dict"
)


class Sample(NamedTuple):
    """The worker at a moment: seconds, its CPU seconds, and where its changelog ends."""

    at: float
    cpu: float
    end: int


class Run(NamedTuple):
    """A worker's way through a log: from its start, and its first and last commit."""

    events: int
    start: Sample
    first: Sample
    last: Sample
    memory: tuple[float, float]


def fold() -> Result:
    """Measure, and check that every event counted once."""
    result = Result("fold", ABOUT)
    with platform(founded=LIFECYCLE_ONLY) as mine:
        written = write(mine.settings, log_of(mine.settings, CUSTOMERS))
        result.add("size of a value, mean", written.bytes / written.count, "bytes")
        worker = mine.cdp("worker")
        run = watch(mine.settings, worker, written.count)
        worker.stop()
        _note(result, run, _peer(mine))
        check(mine.settings, written)
        result.memory["worker, 50,000 customers"] = run.memory
        result.memory["kafka"] = memory_mb(mine.programs["kafka"].pid)
    many = _many()
    result.memory["worker, 500,000 customers"] = many.memory
    ratio = max(run.memory[0], many.memory[0]) / min(run.memory[0], many.memory[0]) - 1
    result.add("CPU an event, 500,000 customers with one event each", cpu_us(many), "µs")
    result.add("resident memory, 50,000 against 500,000 customers", 100 * ratio, "%", 20)
    return result


def log_of(settings: Settings, customers: int, *, each: bool = False) -> Iterator[Record]:
    """The benchmark's events, the last of them just now."""
    who = people(customers, SEED, settings.partitions, SECRET, ONE_IDENTIFIER)
    return events(who, EVENTS_COUNT, SEED, int(time.time() * 1000), each=each)


def watch(settings: Settings, worker: Program, count: int) -> Run:
    """Follow a worker that was just started until it has folded `count` events; ProcessFailed where it ends."""
    progress, samples = Progress(settings), list[Sample]()
    try:
        while True:
            if not worker.alive:
                raise worker.failure("the worker ended")
            now = Sample(time.monotonic(), cpu_seconds(worker.pid), sum(progress.ends().values()))
            if not samples or now.end != samples[-1].end:
                samples.append(now)
            elif now.at - samples[-1].at > 1 and progress.folded() >= count:
                break
            time.sleep(0.05)
    finally:
        progress.close()
    return Run(count, samples[0], samples[1], samples[-1], memory_mb(worker.pid))


def cpu_us(run: Run) -> float:
    """CPU of one event, in microseconds, from the first commit to the last."""
    return (run.last.cpu - run.first.cpu) / run.events * 1e6


def check(settings: Settings, written: Written) -> None:
    """ProcessFailed unless the stopped worker's states hold every event once, customer by customer, to the cent."""
    counted, orders = dict[str, int](), Decimal(0)
    for number in range(settings.partitions):
        for cluster in _clusters(settings.home / "state" / settings.namespace / str(number)):
            for key, part in cluster["parts"].items():
                counted[key] = part["events"]
                totals = part["books"]["totals"]
                orders += sum(Decimal(v) for t in (totals["revenue"], totals["refunded"]) for v in t.values())
    if counted != written.events or orders != written.orders:
        found = f"{sum(counted.values())} events of {len(counted)} customers, orders of {orders}"
        wanted = f"{written.count} events of {len(written.events)} customers, orders of {written.orders}"
        raise ProcessFailed(f"the fold is not exact: {found}; the log has {wanted}")


def _clusters(path: Path) -> Iterator[Cluster]:
    store, last = Store(path, 0), ""
    try:
        while keys := store.keys(last, 1_000):
            states = (orjson.loads(store.read(key) or b"") for key in keys)
            yield from (state for state in states if state["kind"] == "cluster")
            last = keys[-1]
    finally:
        store.close()


def _note(result: Result, run: Run, peer: dict[str, float]) -> None:
    seconds = run.last.at - run.first.at
    bare = peer["cpu"] / peer["events"] * 1e6
    result.add("CPU an event", cpu_us(run), "µs", 33)
    result.add("CPU an event from the process's start", run.last.cpu / run.events * 1e6, "µs")
    result.add("events a second", run.events / seconds, "1/s")
    result.add("peer: CPU an event", bare, "µs")
    result.add("peer: events a second", peer["events"] / peer["seconds"], "1/s")
    result.add("CPU, times the peer's", cpu_us(run) / bare, "x")


def _peer(mine: Platform) -> dict[str, float]:
    topic = EVENTS.name(mine.settings.namespace)
    program = mine.run(
        "peer",
        [sys.executable, "-m", "bench.peer", mine.settings.kafka, topic, str(mine.settings.partitions)],
    )
    if program.wait(300):
        raise program.failure("the peer failed")
    answer: dict[str, float] = orjson.loads(tail(program.log, 1))
    return answer


def _many() -> Run:
    with platform(founded=LIFECYCLE_ONLY) as mine:
        written = write(mine.settings, log_of(mine.settings, MANY_CUSTOMERS, each=True))
        return watch(mine.settings, mine.cdp("worker"), written.count)
