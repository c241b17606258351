"""All SDKs at once on one kind of order, each through a gate of its own."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

from schemas.settings import Settings
from tests.sdks.calls import Call
from tests.sdks.registry import SDKS, Place, Sdk
from tests.sdks.runs import Order, Run
from tests.sdks.sites import Gate


class Outcome(NamedTuple):
    """What ingest answered to an SDK's posts, in this order, and what the SDK reported to its user."""

    statuses: list[int]
    errors: list[str]


Outcomes = dict[str, Outcome]
Meanwhile = Callable[[dict[str, Run], dict[str, Gate]], None]


def key_of(source: str) -> str:
    """The write key of a source in these tests."""
    return f"the-write-key-of-{source}"


def run_all(
    settings: Settings,
    place: Place,
    calls: list[Call],
    source: Callable[[Sdk], str] = lambda sdk: sdk.name,
    *,
    asking: bool = True,
    cutting: bool = False,
    meanwhile: Meanwhile | None = None,
) -> Outcomes:
    """The outcome of the same calls with each SDK, by its name, once all have ended.

    `source` names whose key it has; a page gets its settings by `asking` ingest, or has them; `cutting` lets bodies
    come broken; `meanwhile` does what is to happen while they work.
    """
    with ExitStack() as stack:
        gates: dict[str, Gate] = {}
        runs: dict[str, Run] = {}
        for sdk in SDKS:
            gate = Gate(settings.ingest_host, settings.ingest_port, cutting=cutting)
            gates[sdk.name] = stack.enter_context(gate.open())
            order = Order(host=gate.url, key=key_of(source(sdk)), calls=calls, asking=asking)
            runs[sdk.name] = stack.enter_context(sdk.working(order, place))
        if meanwhile is not None:
            meanwhile(runs, gates)
        errors = {name: run.errors() for name, run in runs.items()}
    return {name: Outcome(gates[name].statuses, errors[name]) for name in runs}
