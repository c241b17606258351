"""Ids that have been seen, eight bytes each. Pure; millions of them, asked by the thousand."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.uint64]
RECENT = 262_144
"""Ids that wait to be sorted in among the many."""


def array_of(packed: bytes) -> Array:
    """Ids as they stand behind each other in bytes."""
    return np.frombuffer(packed, dtype="<u8")


class Ids:
    """A set of ids."""

    def __init__(self, known: Sequence[Array] = ()) -> None:
        self._many: Array = np.unique(np.concatenate(known)) if known else np.empty(0, np.uint64)
        self._recent: Array = np.empty(0, np.uint64)

    def __len__(self) -> int:
        return len(self._many) + len(self._recent)

    def add(self, ids: Sequence[bytes]) -> list[bool]:
        """Of each id whether it is there already, or stands here twice; all of them are there from now on."""
        asked = array_of(b"".join(ids))
        seen = _in(self._many, asked) | _in(self._recent, asked)
        twice = np.ones(len(asked), bool)
        twice[np.unique(asked, return_index=True)[1]] = False
        seen |= twice
        self._recent = np.sort(np.concatenate((self._recent, asked[~seen])), kind="stable")
        if len(self._recent) > RECENT:
            self._many = np.sort(np.concatenate((self._many, self._recent)), kind="stable")
            self._recent = np.empty(0, np.uint64)
        found: list[bool] = seen.tolist()
        return found


class Occurrences:
    """Which of equal rows each is, in their order: 0 is the first."""

    def __init__(self) -> None:
        self._ids, self._more = Ids(), Counter[bytes]()

    def count(self, contents: Sequence[bytes]) -> list[int]:
        """The next rows of a file, by the id of their content."""
        found = self._ids.add(contents)
        numbers = [0] * len(contents)
        for place, seen in enumerate(found):
            if seen:
                self._more[contents[place]] += 1
                numbers[place] = self._more[contents[place]]
        return numbers


def _in(those: Array, asked: Array) -> NDArray[np.bool_]:
    if not len(those):
        return np.zeros(len(asked), bool)
    places = np.minimum(np.searchsorted(those, asked), len(those) - 1)
    return np.asarray(those[places] == asked)
