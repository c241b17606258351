"""(8) The fold with definitions: what an event costs with none, 20 and 200 of them live, and 2 to 200 that it touches.

The cost must grow with the definitions that an event touches, not with all of them. Those that are touched ask for all
names of the log; the others for names that never come. Each has a leaf of its own: a count, a sum, distinct values, a
last time, a latest value, in turn.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.figures import Result
from bench.fold import ONE_IDENTIFIER, SEED, cpu_us, watch
from bench.log import write
from bench.platform import LIFECYCLE_ONLY, SECRET, platform
from bench.synthetic import KINDS, events, people

EVENTS_COUNT, CUSTOMERS = 200_000, 5_000
SOME = 60_000
"""Events of the log where each touches all of 200."""
RUNS = ((0, 0), (20, 2), (200, 2), (20, 20), (200, 20), (200, 200))
"""How many segments, and how many of them each event touches."""
SPREAD = 1.15
"""What 200 may cost against 20, where an event touches 2 of either."""
NAMES = sorted(kind[0] for kind in KINDS)
ABOUT = (
    f"One worker, {EVENTS_COUNT:,} synthetic events of {CUSTOMERS:,} customers ({SOME:,} where each touches 200); "
    "segments with a leaf each; none: a lifecycle alone. A new customer is evaluated by what its event touches"
)


def definitions() -> Result:
    """Measure."""
    result = Result("definitions", ABOUT)
    cost: dict[tuple[int, int], float] = {}
    for count, touched in RUNS:
        cost[count, touched] = _fold(count, touched, result)
        limit = SPREAD * cost[20, 2] if (count, touched) == (200, 2) else None
        what = f"{count} definitions, of which an event touches {touched}" if count else "no definitions"
        result.add(f"{what}: CPU an event", cost[count, touched], "µs", limit)
    result.add("a definition that an event touches", (cost[200, 200] - cost[0, 0]) / 200, "µs")
    result.add("one that it does not touch", (cost[200, 2] - cost[20, 2]) / 180, "µs")
    for count, touched in ((0, 0), (200, 2)):
        new = _fold(count, touched, result, each=True)
        result.add(f"a new customer, its event among it, {count} definitions: CPU", new, "µs")
    return result


def segments(count: int, touched: int) -> list[dict[str, Any]]:
    """So many segments, of which each event of the log touches so many."""
    return [
        {"kind": "segment", "name": f"s{n}", "version": 1, "when": _condition(n, NAMES if n < touched else [f"N{n}"])}
        for n in range(count)
    ]  # fmt: skip


@contextmanager
def folder(segments: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    """Settings of a deployment that is founded with these; with a lifecycle alone where there are none."""
    if not segments:
        yield LIFECYCLE_ONLY
        return
    with tempfile.TemporaryDirectory(prefix="cdp-bench-definitions-") as name:
        (Path(name) / "segments.json").write_text(json.dumps(segments))
        yield {"definitions": name}


def _condition(number: int, names: list[str]) -> dict[str, Any]:
    days = {"last_days": 10 + number}
    return (
        {"did": {"event": names, "at_least": 3, "within": days}},
        {"sum": {"event": names, "property": "price", "at_least": 50, "within": days}},
        {"distinct": {"event": names, "property": "product_id", "at_least": 3, "within": days}},
        {"last": {"event": names, "where": [{"property": "total", "at_most": number}], "within": days}},
        {
            "latest": {
                "event": names,
                "where": [{"property": "path", "is_not": f"/p/{number}"}],
                "property": "path",
                "is": "/p/1",
            }
        },
    )[number % 5]


def _fold(count: int, touched: int, result: Result, *, each: bool = False) -> float:
    """CPU of an event, in microseconds; `each`: of customers with one event each."""
    size = SOME if touched == 200 or each else EVENTS_COUNT
    with folder(segments(count, touched)) as founded, platform(founded=founded) as mine:
        who = people(SOME if each else CUSTOMERS, SEED, mine.settings.partitions, SECRET, ONE_IDENTIFIER)
        written = write(mine.settings, events(who, size, SEED, int(time.time() * 1000), each=each))
        run = watch(mine.settings, mine.cdp("worker"), written.count)
        if not each:
            result.memory[f"worker, {count} definitions, {touched} touched"] = run.memory
    return cpu_us(run)
