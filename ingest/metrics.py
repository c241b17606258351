"""What ingest counts, for Prometheus.

Plain numbers, of one thread, made into metrics when somebody asks: the client library's own take a lock for each.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from ingest.accept import Refused

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
STATUSES = (200, 400, 401, 404, 408, 429, 500, 503)


class Metrics(Collector):
    """The counters of one process."""

    def __init__(self) -> None:
        self._accepted = 0
        self._rejected: Counter[str] = Counter()
        self._requests = dict.fromkeys(STATUSES, 0)
        self._buckets = [0] * (len(SECONDS) + 1)
        self._seconds = 0.0
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def written(self, events: int, refused: list[Refused]) -> None:
        """What is in the log now: so many events, and these refusals."""
        self._accepted += events
        for refusal in refused:
            self._rejected[refusal.rejection.reason.value] += 1

    def answered(self, status: int, seconds: float) -> None:
        """One answer to a request that sends events."""
        self._requests[status] = self._requests.get(status, 0) + 1
        self._buckets[bisect_left(SECONDS, seconds)] += 1
        self._seconds += seconds

    def collect(self) -> Iterator[Metric]:
        """The numbers as they are now."""
        yield CounterMetricFamily("cdp_ingest_accepted", "events acknowledged by the log", self._accepted)
        rejected = CounterMetricFamily("cdp_ingest_rejected", "events rejected", labels=["reason"])
        for reason, count in self._rejected.items():
            rejected.add_metric([reason], count)
        yield rejected
        requests = CounterMetricFamily("cdp_ingest_requests", "requests answered", labels=["status"])
        for status, count in self._requests.items():
            requests.add_metric([str(status)], count)
        yield requests
        limits = (*map(str, map(float, SECONDS)), "+Inf")
        buckets = list(zip(limits, map(float, accumulate(self._buckets)), strict=True))
        yield HistogramMetricFamily("cdp_ingest_seconds", "from request to answer", buckets, self._seconds)

    def page(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self._registry)
