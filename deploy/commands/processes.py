"""`cdp ingest | worker | sink`: the long-running processes, each until SIGTERM."""

from deploy.config import load_settings


def ingest() -> None:
    """Take events over HTTP into the log."""
    from ingest.server import run

    run(load_settings())


def worker() -> None:
    """Fold the log into customers and publish their changes."""
    from processors.worker import run

    run(load_settings())


def sink() -> None:
    """Write events, profiles and changes into ClickHouse."""
    from projections.sink import run

    run(load_settings())


COMMANDS = (ingest, worker, sink)
