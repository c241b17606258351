"""What ingest counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest

from ingest.accept import Refused

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
STATUSES = (200, 400, 401, 404, 408, 429, 500, 503)


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._accepted = Counter(
            "cdp_ingest_accepted", "events acknowledged by the log", registry=self._registry
        )
        self._rejected = Counter(
            "cdp_ingest_rejected", "events rejected", ["reason"], registry=self._registry
        )
        self._requests = Counter(
            "cdp_ingest_requests", "requests answered", ["status"], registry=self._registry
        )
        self._by_status = {status: self._requests.labels(str(status)) for status in STATUSES}
        self._seconds = Histogram(
            "cdp_ingest_seconds", "from request to answer", buckets=SECONDS, registry=self._registry
        )

    def written(self, events: int, refused: list[Refused]) -> None:
        """What is in the log now: so many events, and these refusals."""
        self._accepted.inc(events)
        for refusal in refused:
            self._rejected.labels(refusal.rejection.reason.value).inc()

    def answered(self, status: int, seconds: float) -> None:
        """One answer to a request that sends events."""
        self._by_status[status].inc()
        self._seconds.observe(seconds)

    def page(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self._registry)
