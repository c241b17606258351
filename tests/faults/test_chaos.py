"""kill -9, again and again, of everything, under load: what was acknowledged is there, once, with all that follows."""

import random
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from deploy.clock import hold, tick
from projections.connect import connect
from projections.lag import caught_up
from schemas.errors import CdpError
from schemas.settings import Settings
from tests import oracle
from tests.conftest import settings_for
from tests.faults import views
from tests.faults.customers import BAD, END
from tests.faults.five import FIVE, Platform
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.oracle import Body, Who, told, way
from tests.integration.log import write
from tests.processors.events import Said
from tests.servers import Broker, Server

SEED = 20261122
ROUNDS = 5
POISON = [
    Said(f"user_id:poison{number}", value, "user_id:poison")
    for number, value in enumerate(
        (b"{", b"\xff\xfe", b"", b"[]", b'{"v":1,"type":"track","name":5}', b'{"v":9}') * 10
    )
]


@pytest.fixture
def own_clickhouse(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "clickhouse")
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(tmp_path / "ledger")) as made:
        yield made


def test_nothing_acknowledged_is_lost_and_nothing_counts_twice(
    own_broker: Broker, own_clickhouse: Server, ledger: Ledger, tmp_path: Path
) -> None:
    ports = {"clickhouse_port": own_clickhouse.tcp, "clickhouse_http_port": own_clickhouse.http}
    settings = settings_for(tmp_path / "home", kafka=own_broker.address, **ports)
    dice, began = random.Random(SEED), time.monotonic()
    platform, load = Platform(settings, own_broker, own_clickhouse, ledger), Load(settings, ledger, SEED)
    hold(settings)  # so that the way of every customer follows from what they did alone
    poison = write(settings, POISON)
    with platform.running():
        with load.running():
            for _ in range(ROUNDS):
                for victim in dice.sample(FIVE, len(FIVE)):
                    platform.kill_at_work(victim, dice)
            stopped = time.monotonic()
            platform.until(platform.programs["broker"].healthy, "the broker is back")
            platform.until(lambda: load.answered_since(stopped), "events are taken again")
        assert not load.wrong
        ends = tick(settings, views.instant(END))
        folded = sum(ends.values()) + len(ends)
        platform.until(lambda: platform.behind("worker")[0] >= folded, "everything is folded")
        platform.until(lambda: _caught_up(settings), "the tables have caught up")
        recovered = time.monotonic() - stopped
        good, bad = told(ledger)
        acknowledged = sum(map(len, good.values()))
        _compare_views(settings, good)
        _compare_ways(settings, good)
        rejected = _compare_rejections(settings, ledger, bad, sum(poison.values()))
    assert platform.kills == dict.fromkeys(FIVE, ROUNDS)
    assert all(min(lags) > 0 for lags in platform.lags.values())
    assert set(platform.ended) <= {"clickhouse"}, (
        "only the embedded engine ends with a client that was killed\n" + "\n".join(platform.last_words)
    )
    held = acknowledged / (stopped - began)
    print(
        f"\nload {held:.0f} events/s of {len(good)} customers, faults {sum(platform.kills.values())} kill -9 "
        f"(lag behind the worker {_span(platform.lags['worker'])}, the sink {_span(platform.lags['sink'])} records; "
        f"ended by itself: {dict(platform.ended)}), answers {dict(load.statuses)}, "
        f"bad inputs {len(bad) + len(POISON)}, "
        f"acknowledged {acknowledged}, projected {acknowledged}, rejected {rejected}, lost = 0, duplicate effects = 0, "
        f"recovered in {recovered:.1f} s, {time.monotonic() - began:.0f} s in all"
    )


def _caught_up(settings: Settings) -> bool:
    try:
        return caught_up(settings)
    except CdpError:
        return False


def _compare_views(settings: Settings, good: dict[Who, list[Body]]) -> None:
    with connect(settings) as client:
        profiles, events, orders = views.profiles(client), views.events(client), views.orders(client)
    assert profiles.keys() == good.keys()
    customer = {who: profile["customer_id"] for who, profile in profiles.items()}
    sent = {
        (e["source"], e["message_id"], e["name"], e["occurred_at"], customer[who])
        for who, mine in good.items()
        for e in mine
    }
    assert len(events) == len(sent), "an event is lost or doubled"
    assert set(events) == sent
    placed: dict[tuple[str, str], tuple[Any, ...]] = {}
    for who, mine in good.items():
        known = oracle.facts(mine)
        profile = profiles[who]
        profile["revenue"], profile["refunded"] = map(
            views.amounts, (profile["revenue"], profile["refunded"])
        )
        assert {name: profile[name] for name in views.PROFILE} == {
            name: known[name] for name in views.PROFILE
        }
        placed |= views.expected_orders(mine, customer[who])
    assert orders == placed


def _compare_ways(settings: Settings, good: dict[Who, list[Body]]) -> None:
    published = views.topic_ways(settings)
    with connect(settings) as client:
        profiles = views.profiles(client)
        assert views.view_ways(client) == published
        assert views.bad_periods(client) == 0
    ways = {profiles[who]["customer_id"]: way(mine, views.instant(END)) for who, mine in good.items()}
    assert published == ways
    for profile in profiles.values():
        steps = ways[profile["customer_id"]]
        last = steps[-1]
        told = (profile["stage"], profile["since"], profile["sequence"])
        assert told == (last.to, last.effective_at, len(steps))


def _compare_rejections(settings: Settings, ledger: Ledger, bad: set[str], poison: int) -> int:
    """A bad message is rejected each time that it reaches ingest: once where it is sent once, again where the answer
    was lost; what cannot be read in the log, once for ever."""
    by_message, by_place = views.rejections(settings)
    assert set(by_place.values()) == {1}
    assert len(by_place) == len(POISON)
    reasons = {id_: BAD[int(id_[3:].partition("-")[0])][1] for id_ in bad}
    assert {id_ for id_, _ in by_message} == bad
    for (id_, reason), times in by_message.items():
        assert reason == reasons[id_]
        assert 1 <= times <= ledger.posts[id_]
    return by_message.total() + by_place.total()


def _span(lags: list[int]) -> str:
    return f"{min(lags)}-{max(lags)}"
