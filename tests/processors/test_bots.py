"""What a bot sent is in the log, and nobody did it."""

from tests.processors.events import DAY, at, event, order, tick
from tests.processors.machine import Machine, folded

WHEN = at("2026-01-01")


def test_a_bot_is_no_customer() -> None:
    machine = Machine().feed(event("Page Viewed", WHEN, bot=True), tick(WHEN + 400 * DAY))
    assert (machine.states, machine.changes, machine.rejected, machine.commands) == ({}, [], [], [])
    assert machine.position["events"] == 2


def test_it_changes_nobody_and_links_nothing() -> None:
    bots = [
        order("o9", WHEN + 2, bot=True),
        event("Identified", WHEN + 3, others=["email:e"], traits={"email": "e"}, bot=True),
        event(
            "Aliased",
            WHEN + 4,
            type="alias",
            who="ada",
            says=["alias", "user_id:bob", "user_id:ada"],
            bot=True,
        ),
    ]
    people = [event("Page Viewed", WHEN), event("Page Viewed", WHEN + 1, who="bob"), order("o1", WHEN + 5)]
    with_bots, without = folded([people[0], bots[0], people[1], *bots[1:], people[2]]), folded(people)
    assert with_bots.states == without.states
    assert with_bots.changes == without.changes
    assert not with_bots.commands


def test_it_counts_for_no_time_that_passes() -> None:
    seen = folded([order("o1", WHEN), event("Page Viewed", WHEN + 89 * DAY, bot=True), tick(WHEN + 91 * DAY)])
    alone = folded([order("o1", WHEN), tick(WHEN + 91 * DAY)])
    assert (seen.stages(), seen.way()) == (alone.stages(), alone.way())


def test_who_sends_the_same_message_itself_is_heard() -> None:
    machine = folded([event("Visit", WHEN, id_="m1", bot=True), event("Visit", WHEN, id_="m1")])
    assert machine.parts() == folded([event("Visit", WHEN, id_="m1")]).parts()
