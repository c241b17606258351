import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.usage import Tally

NOON = 1_789_992_000_000
"""2026-09-21T12:00:00Z."""
DAY = 86_400_000


def hear(tally: Tally, *others: Tally) -> None:
    for other in others:
        for key, value in other.unwritten().items():
            tally.apply(key, value)


def test_a_record_is_one_process_one_source_and_one_day() -> None:
    tally = Tally("p1", "UTC")
    tally.add("till", 3, NOON)
    tally.add("till", 4, NOON)
    tally.add("web", 1, NOON)
    assert tally.unwritten() == {
        "2026-09-21/till/p1": b'{"v":1,"events":7}',
        "2026-09-21/web/p1": b'{"v":1,"events":1}',
    }
    assert tally.unwritten() == {}


def test_what_kafka_did_not_take_is_written_again_as_it_is_then() -> None:
    tally = Tally("p1", "UTC")
    tally.add("till", 3, NOON)
    lost = tally.unwritten()
    tally.add("till", 1, NOON)
    tally.write_again(set(lost))
    assert tally.unwritten() == {"2026-09-21/till/p1": b'{"v":1,"events":4}'}


def test_a_process_that_starts_again_goes_on_where_the_last_was() -> None:
    first, second = Tally("p1", "UTC"), Tally("p2", "UTC")
    first.add("till", 7, NOON)
    hear(second, first)
    second.add("till", 1, NOON)
    assert second.used("till", NOON) == 8


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-5, 50)), max_size=30), st.randoms())
def test_all_processes_know_the_sum_however_often_they_are_told(
    sent: list[tuple[int, int]], random: object
) -> None:
    tallies = [Tally(f"p{number}", "UTC") for number in range(3)]
    taken, told = [0, 0, 0], list[tuple[str, bytes]]()
    for number, given_ in sent:
        events = max(given_, -taken[number])
        taken[number] += events
        tallies[number].add("till", events, NOON)
        told.extend(tallies[number].unwritten().items())
    for tally in tallies:
        for key, value in itertools.chain(told, told[-1:]):
            tally.apply(key, value)
        assert tally.used("till", NOON) == sum(taken)


def test_a_new_day_begins_with_nothing_and_forgets_the_last() -> None:
    ours, theirs = Tally("ours", "UTC"), Tally("theirs", "UTC")
    theirs.add("till", 9, NOON)
    hear(ours, theirs)
    assert ours.used("till", NOON) == 9
    assert ours.used("till", NOON + DAY) == 0
    ours.apply("2026-09-21/till/theirs", b'{"v":1,"events":10}')
    assert ours.used("till", NOON + DAY) == 0
    ours.add("till", 2, NOON + DAY)
    assert ours.unwritten() == {"2026-09-22/till/ours": b'{"v":1,"events":2}'}


def test_a_clock_that_was_wrong_for_a_while_stops_nobody() -> None:
    tally = Tally("ours", "UTC")
    tally.add("till", 5, NOON + 3650 * DAY)
    assert tally.used("till", NOON) == 0
    tally.add("till", 2, NOON)
    assert tally.used("till", NOON) == 2


def test_ones_own_record_is_no_news() -> None:
    tally = Tally("p1", "UTC")
    tally.add("till", 5, NOON)
    tally.apply("2026-09-21/till/p1", b'{"v":1,"events":3}')
    assert tally.used("till", NOON) == 5


@pytest.mark.parametrize(
    ("key", "value"), [("a/b", b"{}"), ("2026-09-21/till/x", b"7"), ("2026-09-21/till/x", b"{}")]
)
def test_what_is_no_usage_is_refused(key: str, value: bytes) -> None:
    with pytest.raises(ValueError):
        Tally("p1", "UTC").apply(key, value)
