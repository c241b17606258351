"""Each preset's way through all stages and back, and time alone making stages come true on the right day."""

from datetime import date, timedelta

import pytest

from tests import oracle
from tests.processors.events import (
    DAY,
    HOUR,
    Said,
    at,
    cancel,
    clock,
    contract,
    event,
    order,
    refund,
    renewal,
    tick,
)
from tests.processors.machine import folded

ZONES = (
    ("UTC", "2026-01-10T12:00"),
    ("Europe/Berlin", "2025-12-29T23:30"),  # 90 days later the clocks have gone forward
    ("Europe/Berlin", "2025-07-29T22:30"),  # and back
    ("America/Sao_Paulo", "2018-08-06T15:00"),  # day 90 begins at 01:00: its midnight does not exist
    ("America/Havana", "2025-08-04T12:00"),  # day 90 has its first hour twice
    ("Pacific/Apia", "2011-10-01T12:00"),  # day 90 was left out of the calendar
    ("Asia/Kolkata", "2026-01-10T18:45"),
    ("Australia/Lord_Howe", "2026-01-05T13:15"),  # half an hour of summer time
)


def test_the_way_through_the_shop_and_back() -> None:
    machine = folded(
        [
            clock(running=False),
            event("Page Viewed", at("2024-01-01")),
            event("Signed Up", at("2024-01-02")),
            order("1", at("2024-01-03")),
            order("2", at("2024-01-04")),
            tick(at("2024-06-01"), "importer"),
            tick(at("2025-06-01"), "importer"),
            order("3", at("2025-06-02")),
        ]
    )
    assert machine.way() == [
        None, "prospect", "responder", "new", "mature", "silent", "churned", "mature",
    ]  # fmt: skip
    times = [change.at for change in machine.changes]
    assert times[4:6] == [at("2024-01-04") + 90 * DAY, at("2024-01-04") + 365 * DAY]


def test_the_way_through_the_gym_and_back() -> None:
    machine = folded(
        [
            clock(running=False),
            event("Page Viewed", at("2024-01-01")),
            event("Phone Left", at("2024-01-02")),
            contract("c", at("2024-01-03"), "2024-12-31"),
            tick(at("2024-02-03"), "importer"),
            event("Visit", at("2024-02-04")),
            renewal("c", at("2024-02-05"), "2025-03-31"),
            tick(at("2025-03-31T23:00"), "importer"),
            event("Visit", at("2025-03-31T23:10")),
            tick(at("2025-04-01"), "importer"),
            renewal("c", at("2025-04-02"), "2026-03-31"),
        ],
        "gym",
    )
    assert machine.way() == [
        None, "prospect", "responder", "new", "silent", "new", "mature", "silent", "mature", "churned", "mature",
    ]  # fmt: skip
    ended = machine.changes[8]
    assert (ended.body["to"], ended.at) == ("churned", at("2025-04-01"))


@pytest.mark.parametrize(("zone", "last"), ZONES)
def test_silence_begins_at_local_midnight(zone: str, last: str) -> None:
    bought = at(last)
    begins = oracle.midnight(oracle.local_date(bought, zone) + timedelta(days=90), zone)
    machine = folded([order("1", bought), tick(begins - 1)], timezone=zone)
    assert machine.stage() == "new"
    machine.feed(tick(begins))
    assert machine.stage() == "silent"
    (change,) = machine.changes[1:]
    assert change.at == change.body["effective_at"] == change.body["caused_at"] == begins
    assert change.body["cause"] == "time"


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
def test_a_contract_ends_with_its_last_day_where_the_club_is(zone: str) -> None:
    ends = oracle.midnight(date(2026, 7, 1), zone)
    signed = contract("c", at("2026-06-20"), "2026-06-30")
    assert folded([signed, tick(ends - 1)], "gym", zone).stage() == "new"
    assert folded([signed, tick(ends)], "gym", zone).stage() == "churned"


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
def test_a_contract_without_end_never_ends(zone: str) -> None:
    machine = folded([contract("c", at("2026-06-20"), "9999-12-31"), tick(at("2026-06-30"))], "gym", zone)
    assert (machine.stage(), machine.rejected) == ("new", [])


@pytest.mark.parametrize(
    "undo",
    [
        [cancel("2", at("2024-02-01"))],
        [refund("2", at("2024-02-01"))],
        [refund("2", at("2024-02-01"), "4", "a"), refund("2", at("2024-02-02"), "6", "b")],
    ],
)
def test_an_order_taken_back_takes_the_customer_back(undo: list[Said]) -> None:
    bought = [order("1", at("2024-01-01")), order("2", at("2024-01-02"))]
    machine = folded([*bought, *undo])
    assert machine.way() == [None, "new", "mature", "new"]
    assert folded([*undo, *bought]).stage() == "new"


def test_part_of_an_order_taken_back_is_still_a_purchase() -> None:
    assert folded([order("1", at("2024-01-01")), refund("1", at("2024-01-02"), "4")]).stage() == "new"


def test_all_orders_taken_back_leave_what_the_customer_was_before() -> None:
    log = [event("Signed Up", at("2024-01-01")), order("1", at("2024-01-02")), cancel("1", at("2024-01-03"))]
    assert folded(log).way() == [None, "responder", "new", "responder"]


def test_a_late_event_takes_a_silent_customer_back_as_of_now() -> None:
    bought, now = at("2024-01-01"), at("2024-05-01")
    machine = folded([order("1", bought), tick(now), event("Page Viewed", at("2024-04-01"), received=now)])
    assert machine.way() == [None, "new", "silent", "new"]
    back = machine.changes[-1]
    assert (back.at, back.body["caused_at"]) == (now, at("2024-04-01"))
    assert back.body["cause"].startswith("shop/Page Viewed@")
    machine.feed(tick(at("2024-04-01") + 90 * DAY))
    assert machine.stage() == "silent"


@pytest.mark.parametrize("name", ["Message Sent", "Message Delivered", "Message Bounced", "Identified"])
def test_what_is_done_to_a_customer_breaks_no_silence(name: str) -> None:
    bought = at("2024-01-01")
    machine = folded([order("1", bought), event(name, bought + 80 * DAY), tick(bought + 90 * DAY)])
    assert machine.stage() == "silent"
    machine.feed(event(name, bought + 91 * DAY))
    assert machine.stage() == "silent"
    machine.feed(event("Message Opened", bought + 92 * DAY))
    assert machine.stage() == "new"


def test_only_identifiers_that_are_not_personal_are_published() -> None:
    said = event("Signed Up", at("2024-01-01"), identifiers={"user_id": ["42"], "email": ["a@b.example"]})
    assert folded([said]).changes[0].body["identifiers"] == {"user_id": ["42"]}


def test_an_hour_before_and_after_midnight_are_two_days() -> None:
    night = oracle.midnight(date(2026, 3, 29), "Europe/Berlin")
    log = [event("Visit", night - HOUR), event("Visit", night + HOUR)]
    (part,) = folded(log, timezone="Europe/Berlin").parts()["user_id:ada"].values()
    assert len(part["days"]) == 2
