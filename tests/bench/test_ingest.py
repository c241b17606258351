"""What the benchmark of ingest sends is what its sources and its plan expect."""

import random

import pytest

from bench.ingest import HERE
from bench.load import SOURCES, requests
from ingest.plan import compiled
from schemas import plan, sources


def test_its_plan_is_kept_by_what_is_sent() -> None:
    known, dice = compiled(plan.load(HERE / "plan.yaml")), random.Random(7)
    for number in range(200):
        sent = SOURCES["all"](dice, number)
        checked = known.check(sent["event"], None, sent["properties"], {}, {"user_id": [sent["userId"]]})
        assert checked == ((), False)


def test_each_of_its_sources_has_something_to_send() -> None:
    assert {source.name for source in sources.load(HERE / "sources.yaml").sources} == set(SOURCES)


@pytest.mark.parametrize("batch", [1, 500])
def test_every_event_is_sent_once(batch: int) -> None:
    assert sum(request.count(b'"messageId"') for request in requests(batch, "all")) == 20_000
