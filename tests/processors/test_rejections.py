"""Exactly what cannot be folded is rejected; everything else is folded, and the partition moves on."""

from typing import Any

import orjson
import pytest

from processors.rejections import MIN_REJECTED, WINDOW, Rejections
from processors.rules.facts import fold
from schemas.books import MAX_OBJECTS
from schemas.errors import TooManyRejected
from schemas.rejected import Reason
from schemas.state import MAX_STATE_BYTES
from tests.processors.events import DAY, at, event, order, tick
from tests.processors.logs import body
from tests.processors.machine import Machine, delivered, folded

WHEN = at("2026-01-01")
GOOD = event("Signed Up", WHEN)


def changed(**fields: Any) -> bytes:
    return orjson.dumps({**body(GOOD), **fields})


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (b"user_id:ada", None, Reason.UNREADABLE),
        (b"user_id:ada", b"", Reason.UNREADABLE),
        (b"user_id:ada", b"{", Reason.UNREADABLE),
        (b"user_id:ada", b"[]", Reason.UNREADABLE),
        (b"user_id:ada", b"\xff\xfe", Reason.UNREADABLE),
        (b"user_id:ada", b"[" * 100_000, Reason.UNREADABLE),
        (b"user_id:ada", b'{"v":1,"name":"\\ud800"}', Reason.UNREADABLE),
        (b"user_id:ada", b'{"v":1,"occurred_at":' + b"9" * 10_000 + b"}", Reason.UNREADABLE),
        (b"user_id:ada", changed(v=2), Reason.UNKNOWN_VERSION),
        (b"user_id:ada", changed(name=None), Reason.UNREADABLE),
        (b"user_id:ada", changed(occurred_at="now"), Reason.UNREADABLE),
        (b"user_id:ada", changed(occurred_at=2**63), Reason.UNREADABLE),
        (b"user_id:ada", changed(received_at=-(2**62)), Reason.UNREADABLE),
        (b"user_id:ada", changed(identifiers=[]), Reason.UNREADABLE),
        (b"user_id:ada", changed(identifiers={"user_id": 1}), Reason.UNFOLDABLE),
        (b"user_id:ada", changed(name="Contract Signed"), Reason.UNFOLDABLE),
        (b"user_id:ada", changed(name="Order Completed", properties={"total": "ten"}), Reason.UNFOLDABLE),
        (b"ada", GOOD.value, Reason.UNREADABLE),
        (b"position", GOOD.value, Reason.UNREADABLE),
        (b"\xff:1", GOOD.value, Reason.UNREADABLE),
        (None, GOOD.value, Reason.UNREADABLE),
        (b"tick", b"{}", Reason.UNREADABLE),
        (b"tick", changed(), Reason.UNREADABLE),
        (b"clock", b'{"v":1,"type":"clock"}', Reason.UNREADABLE),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_one_bad_record_among_good_ones(
    key: bytes | None, value: bytes | None, reason: Reason, zone: str
) -> None:
    machine = folded([event("Page Viewed", WHEN)], timezone=zone).feed_raw(key, value)
    machine.feed(GOOD, tick(WHEN + DAY))
    ((record, why),) = machine.rejected
    assert (record.offset, why.reason) == (1, reason)
    assert machine.position["rejected"] == 1
    assert machine.position["events"] == 4
    assert machine.parts() == folded([event("Page Viewed", WHEN), GOOD], timezone=zone).parts()


def test_bad_records_among_good_ones_of_one_customer_in_one_chunk() -> None:
    good = [event("Page Viewed", WHEN + n) for n in range(100)]
    bad = [good[0]._replace(value=b"no") for _ in range(20)]
    mixed = [*good[:50], *bad, *good[50:]]
    machine = folded(mixed)
    assert [record.offset for record, _ in machine.rejected] == list(range(50, 70))
    assert machine.parts() == folded(good).parts()


def test_bad_commands_among_good_ones_and_events_of_one_turn() -> None:
    good = [delivered(event("Visit", WHEN + n)) for n in range(3)]
    machine = Machine().tell("ada", good[0], b"{", good[1], {"v": 1, "kind": "dance"}, good[2])
    machine.feed(GOOD, GOOD._replace(value=b"no"))
    assert machine.turns == 1
    told = [(record.topic, record.offset, why.reason) for record, why in machine.rejected]
    assert told == [
        ("t.commands.v1", 1, Reason.UNREADABLE),
        ("t.commands.v1", 3, Reason.UNREADABLE),
        ("t.events.v1", 1, Reason.UNREADABLE),
    ]
    assert (machine.position["commands"], machine.position["events"]) == (5, 2)
    assert machine.parts() == folded([GOOD, *(event("Visit", WHEN + n) for n in range(3))]).parts()


def test_instants_at_the_ends_of_time_are_folded() -> None:
    for zone in ("UTC", "America/New_York", "Asia/Shanghai"):
        first, last = at("0001-01-01"), 253_402_300_799_999
        machine = folded([event("Visit", first), event("Visit", last)], timezone=zone)
        assert not machine.rejected
        assert machine.state()["parts"]["user_id:ada"]["events"] == 2


def test_one_order_too_many() -> None:
    orders = [order(str(n), WHEN + n) for n in range(MAX_OBJECTS)]
    more = [order("x", WHEN), event("Page Viewed", WHEN), order("y", WHEN), order("1", WHEN, id_="again")]
    machine = folded([*orders, *more])
    assert [why.reason for _, why in machine.rejected] == [Reason.STATE_FULL] * 2
    assert [record.offset - MAX_OBJECTS for record, _ in machine.rejected] == [0, 2]
    totals = machine.state()["parts"]["user_id:ada"]["books"]["totals"]
    assert totals["purchases"] == MAX_OBJECTS
    again = Machine().feed(*orders, *more, chunk=97)
    assert again.parts() == machine.parts()


def test_a_state_never_grows_beyond_its_bound() -> None:
    large = [event("Page Viewed", WHEN + n, who="x" * 10, id_=str(n), channel="web") for n in range(3)]
    wide = [
        event("Identified", WHEN + n, traits={f"t{n}{m}": "v" * 1_000 for m in range(30)}) for n in range(10)
    ]
    names = [event(f"{n:03}" + "n" * 190, WHEN + n, id_=f"n{n}") for n in range(300)]
    values = [str(m) * 400 for m in range(10)]
    identifiers = [
        event("Page Viewed", WHEN + n, id_=f"i{n}", identifiers={f"card/{n}": values}) for n in range(150)
    ]
    machine = folded([*large, *wide, *names, *identifiers])
    assert 0 < len(machine.rejected) < len(identifiers)
    assert {why.reason for _, why in machine.rejected} == {Reason.STATE_FULL}
    assert max(map(len, machine.states.values())) <= MAX_STATE_BYTES
    assert machine.parts() == Machine().feed(*large, *wide, *names, *identifiers, chunk=11).parts()


def test_what_falls_due_comes_true_for_the_largest_state_too(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = folded([order("1", WHEN)])
    monkeypatch.setattr("processors.turn.MAX_STATE_BYTES", len(machine.states["user_id:ada"]))
    machine.feed(tick(WHEN + 90 * DAY))
    assert machine.stage() == "silent"
    machine.feed(event("Page Viewed", WHEN + 91 * DAY))
    assert [why.reason for _, why in machine.rejected] == [Reason.STATE_FULL]


def test_a_defect_in_a_rule_rejects_the_record_that_meets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*arguments: Any) -> None:
        fold(*arguments)
        if arguments[2]["name"] == "Song Played":
            msg = "a defect"
            raise ZeroDivisionError(msg)

    monkeypatch.setattr("processors.handle.fold", faulty)
    log = [GOOD, event("Song Played", WHEN), order("1", WHEN)]
    machine = folded(log)
    ((record, why),) = machine.rejected
    assert (record.offset, why.reason, why.detail) == (1, Reason.UNFOLDABLE, "ZeroDivisionError: a defect")
    assert machine.parts() == folded([log[0], log[2]]).parts()
    assert machine.way() == [None, "responder", "new"]


class TestTooManyRejected:
    def test_a_few_are_borne(self) -> None:
        rejections = Rejections(0.2)
        for _ in range(100):
            rejections.count(1_000, 10)

    def test_a_large_share_stops_the_worker_and_says_so(self) -> None:
        rejections = Rejections(0.2)
        for _ in range(WINDOW // 1_000):
            rejections.count(1_000, 0)
        for _ in range(3):
            rejections.count(1_000, 500)
        with pytest.raises(TooManyRejected, match="rejected"):
            rejections.count(1_000, 1_000)

    def test_a_handful_at_the_start_is_no_share(self) -> None:
        Rejections(0.2).count(MIN_REJECTED - 1, MIN_REJECTED - 1)

    def test_what_lies_before_the_window_is_forgotten(self) -> None:
        rejections = Rejections(0.2)
        rejections.count(1_500, 250)
        for _ in range(50):
            rejections.count(1_000, 0)
        rejections.count(1_000, 1_000)
