"""What came of a publication that another publisher took over."""

import time

from deploy.definitions import history as log
from deploy.definitions.finish import Tell
from deploy.definitions.history import History
from deploy.progress import wait
from schemas.portrait import Model
from schemas.settings import Settings
from schemas.topics import DEFINITIONS

LOOK_S = 0.5
APPEARS_S = 10.0
"""Seconds in which whoever took over has begun what it came for; it may find nothing to do."""


def settled(settings: Settings, before: History, tell: Tell) -> Model | None:
    """The model in force when whoever took over is done; Unavailable where that does not go on."""
    until = time.monotonic() + APPEARS_S
    while len(log.read(settings).models) == len(before.models) and time.monotonic() < until:
        time.sleep(LOOK_S)
    wait(
        lambda: _unfinished(settings), "another publisher has taken over, and does not end",
        DEFINITIONS.name(settings.namespace), lambda left: tell("another publisher finishes, publications left", left),
        lambda: _sent(settings),
    )  # fmt: skip
    return log.read(settings).now


def _unfinished(settings: Settings) -> int:
    time.sleep(LOOK_S)
    return int(log.read(settings).unfinished is not None)


def _sent(settings: Settings) -> int:
    begun = log.read(settings).unfinished
    return begun.publication.sent if begun and begun.publication else 0
