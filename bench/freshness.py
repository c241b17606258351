"""(4) Freshness: from a POST to what the `profiles` view shows, at 1,000 events/s through the whole platform.

The load is batches of 20 on a fixed schedule. Beside it, ten times a second, one of 100 probe customers is given a new
value of a trait by a single `identify`. An analyst's query reads that trait of all probes from the view, again and
again; a value is visible when a query that shows it has been answered. So a time includes what is left of the interval
between two answers: the method's resolution, which stands beside it.
"""

import http.client
import threading
import time

import orjson

from bench.figures import Result
from bench.platform import SECRET, Platform, platform
from bench.synthetic import events, people
from bench.traffic import Posting, batches, postings
from bench.usage import cpu_seconds, memory_mb
from deploy.stack import SINKS
from projections.connect import connect
from schemas.changes import customer_id
from schemas.definitions import load
from schemas.errors import ProcessFailed
from schemas.identity import IdentityRules, Keys

RATE, BATCH, SECONDS, WARM = 1_000, 20, 45, 15
PROBES, PROBES_A_SECOND, CUSTOMERS, SEED = 100, 10, 20_000, 11
PAUSE, PATIENCE = 0.02, 20.0
PROCESSES = (("ingest",), ("worker",), *(("sink", *projections) for projections in SINKS))
ABOUT = (
    f"ingest, worker, sink and ClickHouse at {RATE:,} events/s (batches of {BATCH}) of {CUSTOMERS:,} customers for "
    f"{SECONDS} s after {WARM} s to warm up; {PROBES_A_SECOND} probes a second, from before the POST until shown"
)
QUERY = "SELECT toString(customer_id), JSONExtractInt(traits, 'n') FROM profiles WHERE customer_id IN %(who)s"


def freshness() -> Result:
    """Measure; a probe that is never shown is an error."""
    result = Result("freshness", ABOUT)
    with platform(clickhouse=True) as mine:
        for command in PROCESSES:
            mine.cdp(*command)
        mine.programs["ingest"].check = lambda: _ready(mine)
        mine.programs["ingest"].wait_ready()
        _note(result, *_measure(mine, result))
        for name, program in mine.programs.items():
            result.memory[name] = memory_mb(program.pid)
    return result


def _measure(mine: Platform, result: Result) -> tuple[list[float], list[float]]:
    """Seconds to visible of each probe of the measured time, and the intervals between answers."""
    users = [f"probe-{number}" for number in range(PROBES)]
    count = PROBES_A_SECOND * (WARM + SECONDS)
    bodies = [orjson.dumps({"userId": users[n % PROBES], "traits": {"n": n}}) for n in range(count)]
    who = people(CUSTOMERS, SEED, mine.settings.partitions, SECRET)
    drawn = events(who, RATE * (WARM + SECONDS + int(PATIENCE)), SEED, int(time.time() * 1000))
    stop = threading.Event()
    load = postings(mine.settings, "/v1/batch", batches(drawn, BATCH), RATE / BATCH, stop)
    probes = postings(mine.settings, "/v1/identify", bodies, PROBES_A_SECOND, stop)
    try:
        for posting in (*load, *probes):
            posting.start()
        time.sleep(WARM)
        before = {name: cpu_seconds(program.pid) for name, program in mine.programs.items()}
        began = time.monotonic()
        shown, answers = _watch(mine, _customers(users), probes, load)
        took = time.monotonic() - began
    finally:
        stop.set()
        for posting in (*load, *probes):
            posting.join()
    for name, program in mine.programs.items():
        result.add(f"CPU of {name}", 100 * (cpu_seconds(program.pid) - before[name]) / took, "% of a core")
    result.add("load: behind its schedule, at worst", max(posting.late for posting in load), "s")
    first = PROBES_A_SECOND * WARM
    begun = {number: at for posting in probes for number, at in posting.begun.items()}
    return [shown[number] - begun[number] for number in range(first, count)], answers


def _watch(
    mine: Platform, who: list[str], probes: list[Posting], load: list[Posting]
) -> tuple[dict[int, float], list[float]]:
    """Read the view until it has shown every probe; when each was shown, and how long after the last answer."""
    shown, answers = dict[int, float](), list[float]()
    last = posting_ended = time.monotonic()
    with connect(mine.settings, analyst=True) as client:
        while (going := any(p.is_alive() for p in probes)) or len(shown) < sum(len(p.begun) for p in probes):
            rows = client.execute(QUERY, {"who": who})
            now = time.monotonic()
            for _, number in rows:
                for visible in range(number, -1, -PROBES):  # what this value replaced is visible too
                    if visible in shown:
                        break
                    shown[visible] = now
            answers.append(now - last)
            last = now
            posting_ended = now if going else posting_ended
            failures = [posting.failure for posting in (*load, *probes) if posting.failure]
            if failures or now - posting_ended > PATIENCE:
                raise ProcessFailed(
                    failures[0] if failures else "a probe is not shown", str(mine.folder / "logs")
                )
            time.sleep(PAUSE)
    return shown, answers


def _customers(users: list[str]) -> list[str]:
    rules = load("default", "identity")
    assert isinstance(rules, IdentityRules)
    keys = Keys(rules, SECRET)
    return [customer_id(keys.key("user_id", user)[0]) for user in users]


def _note(result: Result, times: list[float], answers: list[float]) -> None:
    times.sort()
    result.add("p50", times[len(times) // 2], "s")
    result.add("p95", times[int(len(times) * 0.95)], "s")
    result.add("p99", times[int(len(times) * 0.99)], "s", 1)
    result.add("the slowest", times[-1], "s")
    result.add("resolution: mean interval between two answers", sum(answers) / len(answers), "s")
    result.add("probes", len(times), "")


def _ready(mine: Platform) -> None:
    connection = http.client.HTTPConnection(mine.settings.ingest_host, mine.settings.ingest_port, timeout=5)
    connection.request("GET", "/ready")
    assert connection.getresponse().status == 200
