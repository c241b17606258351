"""(7) Conditions in ClickHouse: how long a preview takes on a million customers, beside the bare scan of the events.

Every question counts who is in a definition, from the raw events, as `cdp definitions preview` does. The bare scan
reads the same columns and counts by key: no question of this kind can be quicker.
"""

import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from clickhouse_driver import Client

from bench.crowd import fill
from bench.figures import Result
from bench.usage import cpu_seconds, memory_mb
from deploy.localstack.clickhouse_server import start_clickhouse
from deploy.localstack.ports import free_ports
from deploy.program import Program
from projections import conditions
from projections.conditions import Context
from projections.connect import connect
from projections.migrate import migrate
from schemas.definitions import load
from schemas.lifecycle import Lifecycle
from schemas.portrait import Segment
from schemas.settings import Settings

CUSTOMERS = int(os.environ.get("CDP_BENCH_CUSTOMERS", "1_000_000"))
EVENTS = 10 * CUSTOMERS
NOW = 1_773_144_000_000
LIMIT = 10.0
"""Seconds within which a preview answers."""
ABOUT = f"who is in a definition: {CUSTOMERS:,} customers, {EVENTS:,} events of 90 days; each the better of two runs"
_VIEWED = {"event": "Product Viewed", "where": [{"property": "category", "is": "shoes"}]}
_WINDOW = {"did": {**_VIEWED, "at_least": 2, "within": {"last_days": 30}}}
_SUM = {
    "sum": {"event": "Order Completed", "property": "price", "within": {"last_days": 90}, "at_least": 100}
}
QUESTIONS: dict[str, Any] = {
    "facts": {"all": [{"trait": {"name": "region", "is": "north"}}, {"revenue": {"at_least": 100}}]},
    "count in 30 days": {"did": {"event": "Product Viewed", "at_least": 3, "within": {"last_days": 30}}},
    "count in 30 days, filtered": _WINDOW,
    "sum of a property": _SUM,
    "sequence": {
        "sequence": {
            "steps": [{"event": "Product Viewed"}, {"event": "Product Added"}],
            "within": {"days": 3},
            "without": {"event": "Order Completed"},
        }
    },
    "interest": {
        "interest": {"event": ["Product Viewed", "Page Viewed"], "property": "category", "is": ["hats"], "top": 1}
    },
    "four leaves and the stage": {
        "all": [_WINDOW, _SUM, {"stage": ["new", "mature"]},
                {"distinct": {"event": "Product Viewed", "property": "product_id", "at_least": 3}},
                {"last": {"event": "Product Added", "within": {"more_than_days_ago": 7}}}],
    },
}  # fmt: skip
SCANS = {
    "bare scan: times by key": "max(occurred_at), max(name)",
    "bare scan: properties too": "max(occurred_at), max(name), sum(length(properties))",
}


def preview() -> Result:
    """Measure."""
    result = Result("preview", ABOUT)
    with tempfile.TemporaryDirectory(prefix="cdp-bench-", ignore_cleanup_errors=True) as name:
        tcp, http = free_ports(2)
        server = start_clickhouse(Path(name), tcp, http)
        server.wait_ready()
        try:
            settings = Settings(home=Path(name), clickhouse_port=tcp, clickhouse_http_port=http)
            migrate(settings)
            with connect(settings) as client:
                _measure(client, server, result)
            result.memory["clickhouse"] = memory_mb(server.pid)
        finally:
            server.stop()
    return result


def _measure(client: Client, server: Program, result: Result) -> None:
    began = time.monotonic()
    fill(client, CUSTOMERS, EVENTS, NOW)
    result.add("filling the tables", time.monotonic() - began, "s")
    for what, columns in SCANS.items():
        sql = f"SELECT count() FROM (SELECT key, count(), {columns} FROM events_raw FINAL GROUP BY key)"
        _time(partial(client.execute, sql), server, result, what)
    lifecycle = load("ecommerce", "lifecycle")
    assert isinstance(lifecycle, Lifecycle)
    for what, when in QUESTIONS.items():
        segment = Segment(kind="segment", name="asked", version=1, when=when)
        query = conditions.count(segment, Context(NOW, "Europe/Berlin", "USD", (lifecycle, segment)))
        _time(partial(conditions.ask, client, query), server, result, what, LIMIT)


def _time(
    run: Callable[[], Any], server: Program, result: Result, what: str, limit: float | None = None
) -> None:
    """The seconds that it takes, and those of CPU; the better of two runs."""
    found = []
    for _ in range(2):
        before, began = cpu_seconds(server.pid), time.monotonic()
        run()
        found.append((time.monotonic() - began, cpu_seconds(server.pid) - before))
    seconds, cpu = min(found)
    result.add(what, seconds, "s", limit)
    result.add(f"{what}: CPU", cpu, "s")
