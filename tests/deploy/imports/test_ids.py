"""Ids that were seen, and which of equal rows each is."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deploy.imports import ids as module
from deploy.imports.ids import Ids, Occurrences, array_of

SMALL = st.integers(0, 20).map(lambda number: number.to_bytes(8, "little"))


@given(st.lists(SMALL), st.lists(st.lists(SMALL)))
def test_ids_are_seen_as_a_set_sees_them(known: list[bytes], asked: list[list[bytes]]) -> None:
    ids, plain = Ids([array_of(b"".join(known))]), set(known)
    for some in asked:
        expected = []
        for each in some:
            expected.append(each in plain)
            plain.add(each)
        assert ids.add(some) == expected
    assert len(ids) == len(plain)


@given(st.lists(st.lists(SMALL)))
def test_equal_rows_are_counted_in_their_order(asked: list[list[bytes]]) -> None:
    counting, plain = Occurrences(), Counter[bytes]()
    for some in asked:
        expected = []
        for each in some:
            expected.append(plain[each])
            plain[each] += 1
        assert counting.count(some) == expected


def test_millions_take_eight_bytes_each() -> None:
    ids = Ids()
    for start in range(0, module.RECENT * 3, 50_000):
        block = np.arange(start, start + 50_000, dtype="<u8").tobytes()
        ids.add([block[at : at + 8] for at in range(0, len(block), 8)])
    assert len(ids) == -(-module.RECENT * 3 // 50_000) * 50_000
    assert ids.add([(7).to_bytes(8, "little"), (2**63).to_bytes(8, "little")]) == [True, False]
