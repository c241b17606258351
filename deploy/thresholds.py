"""Thresholds of value: computed from ClickHouse, and put in force where they are others than before.

base -> quantiles -> other than in force? -> published as data, so that the fold stays pure
"""

import logging
import signal
import threading
from typing import NamedTuple

import structlog
from rich.table import Table

from deploy import terminal
from deploy.announce import announce, newest
from deploy.definitions import history as log
from deploy.definitions.asking import context_of
from deploy.definitions.history import History
from deploy.definitions.logical import clocks
from deploy.definitions.plan import standing
from deploy.reach import check
from processors.calendar import Calendar
from projections.value import base
from schemas.definitions import key_of
from schemas.errors import CdpError, ConfigError
from schemas.portrait import Thresholds, Value
from schemas.settings import Settings

POLL_S = 10.0
MEASURES = ("relationship", "frequency", "monetary")
said = structlog.get_logger()


class Recomputed(NamedTuple):
    """The thresholds in force; None where the base has nobody yet. `published`: they are new."""

    thresholds: Thresholds | None
    published: bool


def recompute(settings: Settings, now: int | None = None) -> Recomputed:
    """Compute the thresholds of the value in force, and publish them where they differ from those in force.

    `now`: logical time, Unix ms; the deployment's where left out. ConfigError where no value is in force, Unavailable
    without Kafka or ClickHouse.
    """
    history = log.read(settings)
    found = _computed(settings, history, now)
    if found is None or _is_in_force(found, history):
        return Recomputed(found and newest(history, Thresholds, found.name), published=False)

    def make(there: History) -> Thresholds | None:
        known = newest(there, Thresholds, found.name)
        if _is_in_force(found, there):
            return None
        return found.model_copy(update={"version": known.version + 1 if known else 1})

    made = announce(settings, "thresholds", make)
    return Recomputed(made or found, published=made is not None)


def show(settings: Settings) -> None:
    """Recompute, and print what is in force now."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    check(settings, clickhouse=False)
    done, console = recompute(settings), terminal.console()
    if done.thresholds is None:
        console.print("nobody did anything of their own yet: there is nothing to rank")
        return
    table = Table("", "20 %", "40 %", "60 %", "80 %", box=None, header_style="dim", pad_edge=False)
    for measure in MEASURES:
        table.add_row(measure, *(f"{bound:,}" for bound in getattr(done.thresholds, measure)))
    console.print(table, highlight=False)
    what = "published, and in force" if done.published else "in force already"
    console.print(
        f"{key_of(done.thresholds)} of {done.thresholds.customers:,} customers: {what}", highlight=False
    )


def follow(settings: Settings, stop: threading.Event | None = None) -> None:
    """Recompute whenever the deployment's logical day has moved on, until SIGTERM or `stop`.

    Not while an importer holds the clock: thresholds would depend on how fast its days pass. A server that is away is
    waited for, and said once.
    """
    stop = stop or _stopping()
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    done, failing = None, ""
    while not stop.is_set():
        try:
            at, running = clocks(settings)
            day = Calendar(settings.timezone).day_of(at)
            if running and day != done and _recomputed(settings, at):
                done = day
            failing = ""
        except CdpError as error:
            if str(error) != failing:
                said.warning("thresholds_not_computed", error=error.what, where=error.where, hint=error.hint)
                failing = str(error)
        stop.wait(POLL_S)


def _recomputed(settings: Settings, at: int) -> bool:
    """Whether the day is done: a base of nobody is looked at again."""
    found = recompute(settings, at)
    if found.published and found.thresholds is not None:
        said.info("thresholds_published", key=key_of(found.thresholds), customers=found.thresholds.customers)
    return found.thresholds is not None


def _computed(settings: Settings, history: History, now: int | None) -> Thresholds | None:
    definitions = standing(history.definitions, history.now) if history.now else []
    value = next((each for each in definitions if isinstance(each, Value)), None)
    if value is None:
        what = "no value is in force: there are no scores"
        raise ConfigError(what, "value", "`cdp definitions publish` a folder with a definition of kind value")
    check(settings)
    context = context_of(settings, history, definitions, now)
    found = base(settings, value, context)
    if found is None:
        return None
    return Thresholds(
        kind="thresholds", name=value.name, version=1, computed_at=context.now, **found._asdict()
    )


def _is_in_force(found: Thresholds, history: History) -> bool:
    known = newest(history, Thresholds, found.name)
    return known is not None and all(getattr(known, each) == getattr(found, each) for each in MEASURES)


def _stopping() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
