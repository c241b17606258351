"""The definitions of the benchmark: an event touches as many as are stated, and each remembers something of its own."""

import pytest

from bench.definitions import NAMES, RUNS, folder, segments
from processors.calendar import Calendar
from processors.portrait.compiled import Context
from processors.portrait.model import compile_portrait, leaves
from schemas import folders
from schemas.portrait import Segment


@pytest.mark.parametrize(("count", "touched"), [run for run in RUNS if run[0]])
def test_an_event_touches_so_many_of_so_many(count: int, touched: int) -> None:
    made = [Segment.model_validate(each) for each in segments(count, touched)]
    needed = leaves(made)
    assert (len(made), len(needed)) == (count, count)
    context = Context(Calendar("UTC"), dict.fromkeys(needed, 1))
    portrait = compile_portrait(made, context, "USD")
    for name in NAMES:
        keys = [context.key_of(leaf) for leaf in needed.values() if name in leaf.events]
        assert len(keys) == len({id_ for key in keys for id_ in portrait.touching.leaves[key]}) == touched


def test_a_deployment_can_be_founded_with_them() -> None:
    with folder(segments(200, 20)) as founded:
        assert len(folders.load(founded["definitions"])) == 200
    with folder([]) as founded:
        assert founded["lifecycle"].endswith("ecommerce.yaml")
