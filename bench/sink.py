"""(3) The sink: rows a second of the sinks out of the log, beside native inserts of the same rows, ready in memory.

The log holds synthetic events and what a worker made of them. The peer inserts the same columns, prepared before,
in as many threads as there are projections and in blocks as large as the sink's at most, into a database of its own.
"""

import threading
import time
from collections.abc import Iterator
from itertools import islice

from clickhouse_driver import Client
from kafka import KafkaConsumer, TopicPartition

from bench.figures import Result
from bench.fold import CUSTOMERS, SEED, watch
from bench.log import write
from bench.platform import SECRET, Platform, platform
from bench.synthetic import events, people
from bench.usage import cpu_seconds, memory_mb
from deploy.stack import SINKS
from projections import batch, store
from projections.connect import connect
from projections.lag import caught_up
from projections.loop import MAX_ROWS
from projections.migrate import migrate
from projections.registry import PROJECTIONS
from projections.table import Made, Projection, Record
from schemas.settings import Settings

EVENTS_COUNT = 300_000
ABOUT = (
    f"The sinks of `cdp up`: {EVENTS_COUNT:,} synthetic events, the states and changes that follow; peer: native "
    f"inserts of the same rows, prepared, in blocks of {MAX_ROWS:,}"
)
NAMES = [f"sink-{projections[0]}" for projections in SINKS]


def sink() -> Result:
    """Measure."""
    result = Result("sink", ABOUT)
    with platform(clickhouse=True) as mine:
        who = people(CUSTOMERS, SEED, mine.settings.partitions, SECRET)
        written = write(mine.settings, events(who, EVENTS_COUNT, SEED, int(time.time() * 1000)))
        worker = mine.cdp("worker")
        watch(mine.settings, worker, written.count)
        worker.stop()
        ours, cpu = _sink(mine)
        peers, bare = _peer(mine.settings)
        result.add("rows a second", ours, "1/s", peers / 2, "at least")
        result.add("peer's rows a second", peers, "1/s")
        result.add("share of the peer's", 100 * ours / peers, "%", 50, "at least")
        result.add("CPU a row", cpu * 1e6, "µs")
        result.add("peer's CPU a row", bare * 1e6, "µs")
        for name in (*NAMES, "clickhouse", "kafka"):
            result.memory[name] = memory_mb(mine.programs[name].pid)
    return result


def _sink(mine: Platform) -> tuple[float, float]:
    """Rows a second, and CPU seconds of the sinks a row, from their first insert to their last."""
    with connect(mine.settings) as client:
        before = _inserted(client)
        programs = [mine.cdp("sink", *projections) for projections in SINKS]
        samples = [(before, time.monotonic(), 0.0)]
        while time.monotonic() - samples[-1][1] < 2 or not caught_up(mine.settings):
            for program in programs:
                if not program.alive:
                    raise program.failure("a sink ended")
            now = _inserted(client), time.monotonic(), sum(cpu_seconds(p.pid) for p in programs)
            if now[0] != samples[-1][0]:
                samples.append(now)
            time.sleep(0.05)
    first, last = samples[1], samples[-1]
    rows = last[0] - first[0]
    return rows / (last[1] - first[1]), (last[2] - first[2]) / rows


def _inserted(client: Client) -> int:
    """Rows inserted since the server's start."""
    found = client.execute("SELECT value FROM system.events WHERE event = 'InsertedRows'")
    return int(found[0][0]) if found else 0


def _peer(settings: Settings) -> tuple[float, float]:
    """Rows a second, and CPU seconds of this process a row, of prepared native inserts."""
    settings = settings.model_copy(update={"clickhouse_database": "peer"})
    migrate(settings)
    ready = [list(_made(settings, projection)) for projection in PROJECTIONS]
    rows = list[int]()

    def insert(projection: Projection, batches: list[Made]) -> None:
        with connect(settings) as client:
            rows.extend(store.insert_all(client, projection, made) for made in batches)

    threads = [threading.Thread(target=insert, args=both) for both in zip(PROJECTIONS, ready, strict=True)]
    began, used = time.monotonic(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(rows) / (time.monotonic() - began), (time.process_time() - used) / sum(rows)


def _made(settings: Settings, projection: Projection) -> Iterator[Made]:
    records = _records(settings, projection.topic.name(settings.namespace))
    while some := list(islice(records, MAX_ROWS)):
        yield batch.make(projection, some)


def _records(settings: Settings, topic: str) -> Iterator[Record]:
    """All records of a topic, as committed."""
    consumer = KafkaConsumer(
        bootstrap_servers=settings.kafka, enable_auto_commit=False, isolation_level="read_committed"
    )
    try:
        places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(places)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(places)
        while any(consumer.position(place) < end for place, end in ends.items()):
            for records in consumer.poll(timeout_ms=200).values():
                yield from records
    finally:
        consumer.close()
