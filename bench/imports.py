"""(10) Importing: a million synthetic receipts of tills into the log, by the command itself, from start to end."""

import csv
import random
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition

from bench.figures import Result
from bench.platform import Platform, platform
from bench.usage import cpu_seconds, memory_mb
from deploy.program import Program
from schemas.errors import ProcessFailed
from schemas.topics import EVENTS

ROWS, CUSTOMERS, SEED = 1_000_000, 100_000, 20_260_701
LEAST = 20_000
PATIENCE_S = 600.0
MAPPING = """
kind: mapping
name: bench
timezone: Europe/Berlin
events:
  - event: {column: kind, map: {S: Order Completed, V: Visit}}
    identifiers: {membership_card: card, email: email}
    time: {columns: [day, time], format: "%d.%m.%Y %H:%M:%S"}
    message_id: [branch, receipt]
    properties:
      order_id: receipt
      total: {column: total, type: money}
      currency: {value: EUR}
      branch: branch
      items: {column: items, type: integer}
"""
ABOUT = f"{ROWS:,} synthetic receipts of {CUSTOMERS:,} customers; `cdp import` from start to end, all acknowledged"


def imports() -> Result:
    """Measure a first import, one that is killed and goes on, and the same file again."""
    result = Result("import", ABOUT)
    with platform() as mine:
        path, mapping = mine.folder / "receipts.csv", mine.folder / "mapping.yaml"
        mapping.write_text(MAPPING)
        write(path, ROWS)
        seconds, cpu, peak = _run(mine, path, mapping)
        _check(mine)
        result.add("rows a second", ROWS / seconds, "1/s", LEAST, "at least")
        result.add("CPU a row, of all processes of the import", cpu / ROWS * 1e6, "µs")
        result.add("memory of the import's processes, peak", peak, "MB")
        again, _, _ = _run(mine, path, mapping)
        result.add("the same file again", again, "s")
        (mine.folder / "renamed.csv").write_bytes(path.read_bytes() + b"\n")  # another content, the same rows
        known, _, _ = _run(mine, mine.folder / "renamed.csv", mapping)
        _check(mine)
        result.add("another file of the same rows: rows a second", ROWS / known, "1/s")
        result.memory["kafka"] = memory_mb(mine.programs["kafka"].pid)
    return result


def write(path: Path, rows: int) -> None:
    """Receipts of tills, drawn by a seed."""
    draw, start = random.Random(SEED), datetime(2025, 1, 1, tzinfo=UTC)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(
            ("receipt", "branch", "kind", "day", "time", "card", "email", "total", "items", "cashier")
        )
        for number in range(rows):
            at = start + timedelta(seconds=number * 31_000_000 // rows)
            who = int(draw.random() * CUSTOMERS)
            out.writerow((
                f"R{number:09d}", f"B{number % 40}", "S" if draw.random() < 0.9 else "V", f"{at:%d.%m.%Y}",
                f"{at:%H:%M:%S}", f"M-{who:07d}", f"k{who}@shop.example" if who % 3 == 0 else "",
                f"{draw.random() * 100:.2f}", number % 9 + 1, f"C{number % 200}",
            ))  # fmt: skip


def _run(mine: Platform, path: Path, mapping: Path) -> tuple[float, float, float]:
    """Import a file; gives seconds, CPU seconds and MB."""
    begun, cpu, peak = time.monotonic(), 0.0, 0.0
    argv = ["-m", "deploy", "import", str(path), "--mapping", str(mapping), "--source", "pos"]
    program = mine.run("import", [sys.executable, *argv])
    while program.alive:
        with suppress(OSError, KeyError):  # of a process that has just ended
            used = [(cpu_seconds(pid), memory_mb(pid)[0]) for pid in _family(program)]
            cpu, peak = max(cpu, sum(each for each, _ in used)), max(peak, sum(each for _, each in used))
        if time.monotonic() - begun > PATIENCE_S:
            raise ProcessFailed("the import does not end", str(program.log))
        time.sleep(0.1)
    if program.wait(5):
        raise ProcessFailed("the import failed", str(program.log))
    return time.monotonic() - begun, cpu, peak


def _family(program: Program) -> list[int]:
    """A process and its children."""
    tasks = Path(f"/proc/{program.pid}/task")
    children = [pid for task in tasks.glob("*/children") for pid in task.read_text().split()]
    return [program.pid, *map(int, children)]


def _check(mine: Platform) -> None:
    """Every row is in the log, once."""
    topic, settings = EVENTS.name(mine.settings.namespace), mine.settings
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka, isolation_level="read_committed")
    try:
        places = [TopicPartition(topic, number) for number in range(settings.partitions)]
        consumer.assign(places)
        consumer.seek_to_beginning()
        ends, found = consumer.end_offsets(places), 0
        while any(consumer.position(place) < ends[place] for place in places):
            polled = consumer.poll(timeout_ms=500, max_records=50_000).values()
            found += sum(b":" in record.key for records in polled for record in records)
    finally:
        consumer.close()
    if found != ROWS:
        raise ProcessFailed(f"the log has {found:,} events of {ROWS:,} rows", topic)
