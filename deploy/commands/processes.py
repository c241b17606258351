"""`cdp ingest | worker | sink`: the long-running processes, each until SIGTERM."""

from typing import Annotated

import typer

from deploy.config import load_settings

Names = Annotated[
    list[str] | None,
    typer.Argument(help="What this process writes, for others write the rest; all when left out."),
]


def ingest() -> None:
    """Take events over HTTP into the log."""
    from ingest.server import run

    run(load_settings())


def worker() -> None:
    """Fold the log into customers and publish their changes."""
    from processors.worker import run

    run(load_settings())


def sink(projections: Names = None) -> None:
    """Write events, profiles and changes into ClickHouse."""
    from projections.registry import named
    from projections.sink import run

    run(load_settings(), named(projections or ()))


COMMANDS = (ingest, worker, sink)
