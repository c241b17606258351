"""What the sink counts, for whoever exposes Prometheus metrics in its process."""

from prometheus_client import Counter, Histogram

_ROWS = Counter("cdp_sink_rows", "Rows stored", ("projection",))
_UNREADABLE = Counter("cdp_sink_unreadable", "Records that were no rows", ("projection",))
_SECONDS = Histogram("cdp_sink_insert_seconds", "Duration of a batch's inserts", ("projection",))


def stored(projection: str, rows: int, unreadable: int, seconds: float) -> None:
    """A batch is stored."""
    _ROWS.labels(projection).inc(rows)
    _UNREADABLE.labels(projection).inc(unreadable)
    _SECONDS.labels(projection).observe(seconds)
