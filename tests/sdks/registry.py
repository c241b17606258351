"""Every SDK that must work unmodified: how it is started, and which version it is."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import distributions, version
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import BrowserContext

from tests.sdks.runs import NODE_MODULES, ROOT, Order, Page, Program, Run

DRIVERS = Path(__file__).parent / "drivers"
OLD = ROOT / ".tools/segment-2.3.4"


class Place(NamedTuple):
    """What a page needs: a browser and the shop's address, which is of another origin than ingest.

    `hosts` are the names of all that pages there asked.
    """

    context: BrowserContext
    url: str
    hosts: set[str | None]


class Sdk(NamedTuple):
    """An SDK; `name` is also its source, `in_page` says that it lives in a browser and posts each event by itself."""

    name: str
    package: str
    version: str
    start: Callable[[Order, Place], Run]
    in_page: bool = False

    @contextmanager
    def working(self, order: Order, place: Place) -> Iterator[Run]:
        """It at work on an order; nothing of it is left afterwards."""
        run = self.start(order, place)
        try:
            yield run
        finally:
            run.stop()


def _python(sdk: str, **env: str) -> Callable[[Order, Place], Run]:
    argv = [sys.executable, str(DRIVERS / "python.py"), sdk]
    return lambda order, _: Program(argv, env, order)


def _node(sdk: str) -> Callable[[Order, Place], Run]:
    return lambda order, _: Program(["node", str(DRIVERS / "node.js"), sdk], {}, order)


def _page(order: Order, place: Place) -> Run:
    return Page(place.context, place.url, order)


def _old_version() -> str:
    return next(d.version for d in distributions(name="segment-analytics-python", path=[str(OLD)]))


def _node_version(package: str) -> str:
    found: str = json.loads((NODE_MODULES / package / "package.json").read_text())["version"]
    return found


SEGMENT, RUDDER = "segment-analytics-python", "rudder-sdk-python"
SEGMENT_NODE, RUDDER_NODE = "@segment/analytics-node", "@rudderstack/rudder-sdk-node"
SEGMENT_NEXT = "@segment/analytics-next"

SDKS = (
    Sdk("segment-python", SEGMENT, version(SEGMENT), _python("segment")),
    Sdk("segment-python-old", SEGMENT, _old_version(), _python("segment", PYTHONPATH=str(OLD))),
    Sdk("rudder-python", RUDDER, version(RUDDER), _python("rudder")),
    Sdk("segment-node", SEGMENT_NODE, _node_version(SEGMENT_NODE), _node("segment")),
    Sdk("rudder-node", RUDDER_NODE, _node_version(RUDDER_NODE), _node("rudder")),
    Sdk("segment-next", SEGMENT_NEXT, _node_version(SEGMENT_NEXT), _page, in_page=True),
)
