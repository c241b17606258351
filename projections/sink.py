"""`cdp sink`: topics into ClickHouse. Poll, make columns, insert, commit; each projection in its own thread.

Offsets are committed after the insert was acknowledged, and every table reads the same when rows are written
twice: killed anywhere, it goes on from the last commit.
"""

import logging
import signal
import threading
from collections.abc import Sequence
from types import FrameType

import structlog

from projections import memory
from projections.loop import Loop
from projections.registry import PROJECTIONS
from projections.table import Projection
from schemas.errors import CdpError, ProcessFailed
from schemas.settings import Settings

log = structlog.get_logger()


def run(settings: Settings, projections: Sequence[Projection] = PROJECTIONS) -> None:
    """Run until SIGTERM or SIGINT; the batch in hand is finished and committed.

    Raises what a projection failed with, ProcessFailed where that is no CdpError.
    """
    for name in ("clickhouse_driver", "kafka"):  # what they repeat, tracebacks among it, the loops say once
        logging.getLogger(name).setLevel(logging.CRITICAL)
    stop = threading.Event()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        log.info("stopping", signal=signal.Signals(number).name)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    serve(settings, stop, projections)


def serve(settings: Settings, stop: threading.Event, projections: Sequence[Projection] = PROJECTIONS) -> None:
    """Run until `stop` is set, in any thread."""
    memory.keep()
    failed: list[tuple[str, BaseException]] = []

    def work(projection: Projection) -> None:
        try:
            Loop(settings, projection, stop).run()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the process ends and says so
            failed.append((projection.name, error))
            stop.set()

    threads = [threading.Thread(target=work, args=(p,), name=f"sink-{p.name}") for p in projections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        name, error = failed[0]
        if isinstance(error, CdpError):
            raise error
        log.error("sink_failed", projection=name, exc_info=error)
        raise ProcessFailed(
            f"projection {name} failed: {type(error).__name__}: {error}", "cdp sink"
        ) from error
