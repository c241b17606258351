"""(5) Restart with 500,000 customers: how long until a worker folds again, from its disk and from the topic.

While the worker is down every partition gets one new event. The time is from the start of the process until a
`read_committed` reader sees every partition go on: all are open then, and at work. A worker that is killed is killed in
the middle of its work, so that its disk lacks what RocksDB had in memory and its group waits for it.
"""

import shutil
import signal
import time

from bench.figures import Result
from bench.fold import MANY_CUSTOMERS, SEED, log_of, watch
from bench.log import Progress, write
from bench.platform import SECRET, Platform, platform
from bench.synthetic import Record, events, people
from bench.usage import memory_mb
from schemas.settings import Settings
from schemas.state import Position

ABOUT = f"One worker, 8 partitions, {MANY_CUSTOMERS:,} customers; one new event in each partition while it is down"
PATIENCE = 120.0
BURST = 50_000


def restart() -> Result:
    """Measure; a worker that does not come back within PATIENCE is an error."""
    result = Result("restart", ABOUT)
    with platform() as mine:
        written = write(mine.settings, log_of(mine.settings, MANY_CUSTOMERS, each=True))
        worker = mine.cdp("worker")
        watch(mine.settings, worker, written.count)

        worker.stop()
        result.add("from its disk, after SIGTERM", _again(mine), "s", 5)
        _kill_at_work(mine)
        result.add("from its disk, after kill -9", _again(mine), "s", 5)
        mine.programs["worker"].stop()
        shutil.rmtree(mine.settings.home / "state")
        result.add("from the topic, its disk wiped", _again(mine), "s", 30)
        result.memory["worker, restored from the topic"] = memory_mb(mine.programs["worker"].pid)
    return result


def _again(mine: Platform) -> float:
    """Seconds from a worker's start until it has committed a new event in every partition."""
    progress = Progress(mine.settings)
    before = progress.positions()
    write(mine.settings, _one_each(mine.settings))
    began = time.monotonic()
    worker = mine.cdp("worker")
    try:
        while not _all_moved(before, progress.positions(), mine.settings.partitions):
            if not worker.alive or time.monotonic() - began > PATIENCE:
                raise worker.failure("the worker did not come back")
            time.sleep(0.02)
        return time.monotonic() - began
    finally:
        progress.close()


def _all_moved(before: dict[int, Position], now: dict[int, Position], partitions: int) -> bool:
    """Whether something was committed in every partition; a position that was not found before was aborted."""
    return all(
        number in now and (number not in before or now[number]["folded"] > before[number]["folded"])
        for number in range(partitions)
    )


def _kill_at_work(mine: Platform) -> None:
    """Give the worker work and kill it in the middle."""
    progress, folded = Progress(mine.settings), 0
    who = people(MANY_CUSTOMERS, SEED, mine.settings.partitions, SECRET)
    before = progress.folded()
    write(mine.settings, events(who, BURST, SEED + 1, int(time.time() * 1000)))
    while folded < before + BURST // 4:
        folded = max(folded, progress.folded())
    progress.close()
    mine.programs["worker"].send(signal.SIGKILL)
    mine.programs["worker"].wait()


def _one_each(settings: Settings) -> list[Record]:
    """One new event in each partition."""
    seed = time.time_ns()
    drawn = events(people(100, SEED, settings.partitions, SECRET), 1_000, seed, int(time.time() * 1000))
    return list({record.partition: record for record in drawn}.values())
