"""The demo, from nothing to its figures: bring the platform up, post the orders day by day, wait, show.

Killed anywhere and started again it ends the same: orders go out in order of time, each counts once, by its id, and the
clock stays held until all of them are in. Then the same days pass again and find nothing left to do.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from zoneinfo import ZoneInfo

from kafka import KafkaProducer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy import clock, control, terminal
from deploy.demo import report, who
from deploy.demo.dates import days_moved
from deploy.demo.orders import Day, Order, days, read
from deploy.demo.refusals import Refusals
from deploy.demo.shop import is_ready, open_shop, source, url
from deploy.demo.story import known_as
from deploy.init import joined
from deploy.progress import wait_until_visible
from schemas.errors import CdpError, Unavailable
from schemas.settings import Settings

READY_S = 60.0
GO_ON = "the clock is held: `cdp demo` goes on, or `cdp clock release` leaves it as it is"


def run(settings: Settings, *, keep_dates: bool = False, orders: Sequence[Order] | None = None) -> None:
    """Play the demo and show its figures; `orders` are a part of the file, in order of time, for tests.

    CdpError for whatever keeps it from ending right; the clock is held then, and the next run goes on.
    """
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what matters of its warnings comes as an error
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    console, orders = terminal.console(), orders or read()
    source(settings)
    _reach(settings)
    genesis = joined(settings)
    moved = timedelta(days_moved(settings, genesis, orders, keep=keep_dates))
    console.print(
        f"{len(orders):,} orders of a music shop, {orders[0].day + moved} to {orders[-1].day + moved}",
        highlight=False,
    )
    all_days = list(days(orders, moved, ZoneInfo(genesis.timezone), known_as(orders)))
    with clock.writer(settings) as producer, _held(settings, producer, console):
        began = time.monotonic()
        last = _post(settings, console, all_days, producer)
        posted = time.monotonic()
        _wait(settings, console, last)
        took = report.Took(posted - began, time.monotonic() - posted)
        _wait(settings, console, clock.tick(settings, int(time.time() * 1000), producer))
        who.score(settings)
        _wait(settings, console, clock.release(settings, producer))
    report.show(settings, console, orders, took)


def _reach(settings: Settings) -> None:
    """Have the platform up and taking events."""
    if is_ready(settings):
        return
    control.up(settings)
    deadline = time.monotonic() + READY_S
    while not is_ready(settings):
        if time.monotonic() > deadline:
            hint = "`cdp status`, `cdp logs ingest`; where only the servers run: `cdp down` first"
            raise Unavailable("ingest does not answer", url(settings), hint)
        time.sleep(0.1)


@contextmanager
def _held(settings: Settings, producer: KafkaProducer, console: Console) -> Iterator[None]:
    """Hold the clock; who leaves early leaves it held, so that the days to come are not over yet."""
    try:
        clock.hold(settings, producer)
        yield
    except KeyboardInterrupt:
        raise CdpError("interrupted", hint=GO_ON) from None
    except CdpError:
        console.print(GO_ON, highlight=False)
        raise


def _post(
    settings: Settings, console: Console, all_days: Sequence[Day], producer: KafkaProducer
) -> clock.Offsets:
    """Post each day's orders, then let the next day begin; gives where the last tick is in the log."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    total, ticked = sum(len(day.messages) for day in all_days), clock.Offsets()
    with (
        open_shop(settings) as shop,
        Refusals(settings) as refusals,
        Progress(*columns, console=console) as progress,
    ):
        bar = progress.add_task("posting", total=total)
        for day in all_days:
            progress.update(bar, description=f"posting {day.day}")
            shop.post(day.messages)
            refusals.check()
            ticked = clock.tick(settings, day.ends_at, producer)
            progress.advance(bar, len(day.messages))
        refusals.check(to_the_end=True)
    return ticked


def _wait(settings: Settings, console: Console, upto: clock.Offsets) -> None:
    with console.status("waiting for the views") as status, Refusals(settings) as refusals:
        say = status.update if console.is_terminal else terminal.in_lines(console)
        wait_until_visible(
            settings, upto, lambda left: say(f"waiting for the views: {left:,} records behind")
        )
        refusals.check(to_the_end=True)
