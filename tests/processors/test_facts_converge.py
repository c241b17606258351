"""Any order, batching and repetition of a log gives the same facts and present stage, and they are the oracle's."""

import random
from collections import defaultdict
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.labels import STAGES
from tests import oracle
from tests.processors.events import DAY, LIFECYCLES, Said, order, tick
from tests.processors.logs import NOW, ZONES, body, events, ticks
from tests.processors.machine import Machine, folded

lifecycles = st.sampled_from(LIFECYCLES)
zones = st.sampled_from(ZONES)


@given(st.lists(events(), min_size=1, max_size=25), st.randoms(), st.integers(1, 50), lifecycles, zones)
@settings(max_examples=60, deadline=None)
def test_shuffled_rebatched_and_repeated_logs_agree(
    log: list[Said], rng: random.Random, chunk: int, lifecycle: str, zone: str
) -> None:
    end = tick(NOW + 200 * DAY)
    plain = folded([*log, end], lifecycle, zone)
    again = [*log, *rng.choices(log, k=len(log))]
    rng.shuffle(again)
    other = Machine(lifecycle, zone).feed(*again, end, chunk=chunk)
    assert other.parts() == plain.parts()
    assert other.stages() == plain.stages()
    assert not plain.rejected
    assert not other.rejected


@given(st.lists(events() | ticks.map(tick), min_size=1, max_size=25), lifecycles, zones)
@settings(max_examples=60, deadline=None)
def test_facts_and_stage_are_the_oracles_after_every_record(
    log: list[Said], lifecycle: str, zone: str
) -> None:
    machine, clock = Machine(lifecycle, zone), 0
    seen: dict[str, list[dict[str, Any]]] = defaultdict(list)
    times: dict[str, int] = {}
    for said in log:
        machine.feed(said)
        stated = body(said)
        if said.key == "tick":
            clock = max(clock, stated["at"])
            times = {key: max(time, clock) for key, time in times.items()}
        else:
            if stated not in seen[said.key]:
                times[said.key] = max(times.get(said.key, clock), clock, stated["occurred_at"])
            seen[said.key].append(stated)
    for key, mine in seen.items():
        known = oracle.facts(mine, zone)
        (part,) = machine.parts()[key].values()
        assert told(part) == known
        assert machine.stages()[key] == oracle.stage(lifecycle, known, times[key], zone)


@given(st.lists(events() | ticks.map(tick), max_size=30), lifecycles)
@settings(max_examples=40, deadline=None)
def test_everybody_is_in_one_stage_and_every_change_leads_to_the_next(
    log: list[Said], lifecycle: str
) -> None:
    machine = folded(log, lifecycle)
    for key in machine.states:
        who = key.removeprefix("user_id:")
        way = machine.way(who)
        assert way[0] is None
        assert set(way[1:]) <= set(STAGES)
        assert way[-1] == machine.stage(who)
        assert all(a != b for a, b in pairwise(way))
    ids = [change.id for change in machine.changes]
    assert len(ids) == len(set(ids))
    assert ids == [change.id for change in folded(log, lifecycle).changes]


def test_what_business_states_counts_once_however_late_it_is_repeated() -> None:
    machine = folded([order("1", NOW)])
    before = machine.states["user_id:ada"]
    machine.feed(order("1", NOW, received=NOW + 900 * DAY))
    assert machine.states["user_id:ada"] == before


def told(part: dict[str, Any]) -> dict[str, Any]:
    """A part in the oracle's words."""
    totals = part["books"]["totals"]
    kept = ("events", "first", "last", "own_first", "own_last", "channels", "sources")
    amounts = {
        name: {currency: Decimal(amount) for currency, amount in totals[name].items()}
        for name in ("revenue", "refunded", "stored_value")
    }
    return {
        **{name: part[name] for name in kept},
        "days": dict(sorted(part["days"].items())),
        "names": {name: counted[0] for name, counted in part["names"].items()},
        "name_last": {name: counted[2] for name, counted in part["names"].items()},
        "traits": {name: stated[2] for name, stated in part["traits"].items()},
        "purchases": totals["purchases"],
        "contracts": totals["contracts"],
        "renewals": totals["renewals"],
        "contract_end": part["books"]["contract_end"],
        **amounts,
    }
