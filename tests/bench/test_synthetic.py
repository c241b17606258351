"""The benchmark's events: what every figure stands on."""

from collections import Counter

import orjson

from bench.synthetic import DAYS, Record, events, people
from schemas.event import Event
from schemas.semantics import exact_money
from schemas.topics import DAY_MS, partition_of

SECRET = "a secret of the tests of the benchmarks"
UNTIL = 1_760_000_000_000
CUSTOMERS, COUNT = 2_000, 20_000


def some(seed: int = 1, *, each: bool = False) -> list[Record]:
    return list(events(people(CUSTOMERS, seed, 8, SECRET), COUNT, seed, UNTIL, each=each))


def test_a_seed_draws_the_same_log_again_and_another_seed_another() -> None:
    assert some(1) == some(1)
    assert some(1) != some(2)


def test_the_records_are_what_ingest_writes_and_of_the_stated_size() -> None:
    records = some()
    for record in records[:500]:
        body = orjson.loads(record.value)
        Event.model_validate(body)
        exact = orjson.loads(record.value)["properties"]
        exact_money(body["name"], exact, "USD")
        assert exact == body["properties"]
        assert record.keys.split(b" ")[0] == record.key
        assert record.partition == partition_of(record.key.decode(), 8)
        assert record.at == body["received_at"] >= body["occurred_at"]
    mean = sum(len(record.value) for record in records) / COUNT
    assert 320 < mean < 360


def test_customers_follow_a_zipf_law_over_the_stated_days() -> None:
    records = some()
    ranked = [count for _, count in Counter(record.key for record in records).most_common()]
    harmonic = sum(1 / rank for rank in range(1, CUSTOMERS + 1))
    assert abs(ranked[0] - COUNT / harmonic) < 0.1 * COUNT / harmonic
    assert abs(ranked[9] - COUNT / harmonic / 10) < 0.25 * COUNT / harmonic / 10
    assert [record.at for record in records] == sorted(record.at for record in records)
    assert records[-1].at == UNTIL
    assert records[0].at >= UNTIL - DAYS * DAY_MS


def test_each_customer_has_an_event_where_that_is_asked_for() -> None:
    assert len({record.key for record in some(each=True)}) == CUSTOMERS
