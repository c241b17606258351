"""(9) Publishing on a million customers: from `publish` to full membership, what was before it backfilled.

A platform at rest, of customers with synthetic events; a segment is published that counts events of the last 30 days,
so that nearly everybody needs leaf state. Membership is full when every partition has the model in force; it is shown
when the views have it. It must be what ClickHouse finds over the events themselves.
"""

import logging
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from bench.figures import Result
from bench.fold import ONE_IDENTIFIER, SEED, watch
from bench.log import write
from bench.platform import LIFECYCLE_ONLY, SECRET, Platform, platform
from bench.synthetic import events, people
from bench.usage import memory_mb
from deploy.definitions import history as log
from deploy.definitions.asking import context_of, preview
from deploy.definitions.live import counts, wait_until_shown
from deploy.definitions.plan import standing
from deploy.definitions.publish import publish
from deploy.stack import SINKS
from projections.lag import caught_up
from schemas import folders
from schemas.errors import ProcessFailed
from schemas.graph import name_of

CUSTOMERS = int(os.environ.get("CDP_BENCH_CUSTOMERS", "1_000_000"))
EVENTS_COUNT = CUSTOMERS * 3 // 2
LIMIT = 600.0
"""Seconds to full membership."""
ABOUT = (
    f"One worker, two sinks, {CUSTOMERS:,} customers with {EVENTS_COUNT:,} synthetic events of 5 days, each at least "
    "one; a segment of those with two page or product views in 30 days is published"
)
SEGMENT: dict[str, Any] = {
    "kind": "segment", "name": "viewers", "version": 1,
    "when": {"did": {
        "event": ["Page Viewed", "Product Viewed", "Screen Viewed"], "at_least": 2, "within": {"last_days": 30},
    }},
}  # fmt: skip


def publication() -> Result:
    """Measure; a membership other than ClickHouse's is an error."""
    result = Result("publish", ABOUT)
    with platform(clickhouse=True, founded=LIFECYCLE_ONLY) as mine:
        _fill(mine, result)
        with tempfile.TemporaryDirectory(prefix="cdp-bench-definitions-") as name:
            (Path(name) / "viewers.json").write_bytes(orjson.dumps(SEGMENT))
            _publish(mine, Path(name), result)
        for name, program in mine.programs.items():
            result.memory[name] = memory_mb(program.pid)
    return result


def _fill(mine: Platform, result: Result) -> None:
    began = time.monotonic()
    who = people(CUSTOMERS, SEED, mine.settings.partitions, SECRET, ONE_IDENTIFIER)
    written = write(mine.settings, events(who, EVENTS_COUNT, SEED, int(time.time() * 1000), each=True))
    watch(mine.settings, mine.cdp("worker"), written.count)
    for projections in SINKS:
        mine.cdp("sink", *projections)
    while not caught_up(mine.settings):
        for program in mine.programs.values():
            if not program.alive:
                raise program.failure(f"{program.name} ended")
        time.sleep(0.5)
    result.add("folding and writing all before", time.monotonic() - began, "s")


def _publish(mine: Platform, path: Path, result: Result) -> None:
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # its advice on event loops
    phases, began = dict[str, float](), time.monotonic()

    def tell(what: str, _: int) -> None:
        phases.setdefault(what.partition(",")[0], time.monotonic() - began)

    done = publish(mine.settings, folders.read(path), "benchmark", tell)
    full = time.monotonic() - began
    wait_until_shown(mine.settings, tell)
    shown = time.monotonic() - began
    history = log.read(mine.settings)
    publication = history.models[-1].publication
    sent = publication.sent if publication else 0
    marked = phases.get("partitions come to the new model", full)
    backfilled = marked - phases.get("backfilled identifiers", 0.0)
    result.add("identifiers backfilled", sent, "")
    result.add("to full membership", full, "s", LIMIT)
    result.add("backfill", backfilled, "s")
    result.add("identifiers backfilled a second", sent / backfilled, "1/s")
    result.add("every customer evaluated, from the model's marker", full - marked, "s")
    result.add("until the views show it", shown, "s")
    segment = next(each for each in done.plan.definitions if name_of(each) == "segment/viewers")
    context = context_of(mine.settings, history, standing(history.definitions, done.plan.model))
    _check(
        counts(mine.settings).get("segment/viewers", 0),
        _timed(result, lambda: preview(mine.settings, segment, context)),
    )


def _check(live: int, found: Any) -> None:
    if live != found.by_value.get("", 0):
        raise ProcessFailed(f"{live:,} are members, ClickHouse finds {found.by_value}")


def _timed(result: Result, run: Callable[[], Any]) -> Any:
    began = time.monotonic()
    found = run()
    result.add("preview of the same segment, with a sample", time.monotonic() - began, "s", 10)
    result.add("members", found.by_value.get("", 0), "")
    return found
