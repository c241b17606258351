"""(6) Identity: what it costs a worker to unite identifiers, beside events that need none of it.

Logs on a worker of their own: events of customers with one identifier; the same customers with a second identifier in
a third of the events; visitors who become accounts, each a merge of two customers; then events of those visitors'
identifiers, which are Links by now, so that each event is delivered to its owner. CPU and rate run until the worker has
nothing left to do, commands among it.
"""

import time
from collections.abc import Iterator

from bench.figures import Result
from bench.fold import SEED, Run, cpu_us, watch
from bench.log import Progress, write
from bench.platform import LIFECYCLE_ONLY, SECRET, Platform, platform
from bench.synthetic import Person, Record, events, people
from schemas.topics import partition_of

COUNT, CUSTOMERS, PAIRS = 300_000, 30_000, 50_000
ALONE, THIRD = (1, 0, 0), (2, 0, 1)
"""Shares of customers known by a user_id, an anonymous_id, and both: by both, every event names both."""
ABOUT = (
    f"One worker: {COUNT:,} synthetic events of {CUSTOMERS:,} customers, with one identifier and with a second in a "
    f"third of them; {PAIRS:,} visitors who become accounts; one more event of each visitor's identifier"
)


def identity() -> Result:
    """Measure."""
    result = Result("identity", ABOUT)
    for what, shares in (("one identifier", ALONE), ("a third with a second identifier", THIRD)):
        with platform(founded=LIFECYCLE_ONLY) as mine:
            who = people(CUSTOMERS, SEED, mine.settings.partitions, SECRET, shares)
            run = _fold(mine, events(who, COUNT, SEED, _now()))
            result.add(f"{what}: CPU an event", cpu_us(run), "µs")
            result.add(f"{what}: events a second", run.events / (run.last.at - run.first.at), "1/s")
    with platform(founded=LIFECYCLE_ONLY) as mine:
        both = people(PAIRS, SEED, mine.settings.partitions, SECRET, (0, 0, 1))
        visitors = [_second(person, mine.settings.partitions) for person in both]
        _fold(mine, _one_each(visitors))
        run = _fold(mine, _one_each(both))
        result.add("merge of two customers: CPU", cpu_us(run), "µs")
        result.add("merges a second", run.events / (run.last.at - run.first.at), "1/s")
        run = _fold(mine, _one_each(visitors))
        result.add("event delivered through a Link: CPU", cpu_us(run), "µs")
        result.add("delivered events a second", run.events / (run.last.at - run.first.at), "1/s")
    return result


def _fold(mine: Platform, records: Iterator[Record]) -> Run:
    """Write the events while no worker runs, then let one fold them."""
    progress = Progress(mine.settings)
    before = progress.folded()
    progress.close()
    written = write(mine.settings, records)
    worker = mine.cdp("worker")
    run = watch(mine.settings, worker, before + written.count)
    worker.stop()
    return run._replace(events=written.count)


def _one_each(who: list[Person]) -> Iterator[Record]:
    """One event of each, drawn anew each time."""
    return events(who, len(who), time.time_ns(), _now(), each=True)


def _second(person: Person, partitions: int) -> Person:
    """The person as known by the lesser of their two identifiers alone."""
    key = person.keys.split(b" ")[1]
    (lesser,) = (n for n in person.identifiers if key.startswith(n.encode()))
    return Person(key, key, partition_of(key.decode(), partitions), {lesser: person.identifiers[lesser]})


def _now() -> int:
    return int(time.time() * 1000)
