"""What a condition becomes."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from processors.calendar import Calendar
from processors.portrait.subject import Subject
from schemas.leaves import Leaf, LeafState, digest_of

Test = Callable[[Subject], bool]
NextChange = Callable[[Subject], int | None]
Answer = Callable[[Subject], tuple[bool, int | None]]
"""Both at once, where that is cheaper than one after the other."""


class Context(NamedTuple):
    """What all conditions of a model share. `leaves`: digest -> the model since which it is remembered."""

    calendar: Calendar
    leaves: Mapping[str, int]

    def key_of(self, leaf: Leaf) -> str:
        """Under which key a part keeps the leaf's state; one that nobody remembers has a key of nothing."""
        digest = digest_of(leaf)
        return f"{digest}.{self.leaves.get(digest, 0)}"


class Compiled(NamedTuple):
    """A test, and the next instant later than the subject's `now` at which time alone could change its answer.

    That is a lower bound; None where time changes nothing. It is `never` itself where it is None of everybody. `both`
    gives the two at once, and may give a later bound.
    """

    test: Test
    next_change: NextChange
    both: Answer | None = None


def answer_of(compiled: Compiled) -> Answer:
    """The answer of a condition, and when it changes by itself."""
    test, next_change, both = compiled
    if both is not None:
        return both
    if next_change is never:
        return lambda who: (test(who), None)
    return lambda who: (test(who), next_change(who))


def both_of(answer: Answer) -> Compiled:
    """The condition that is asked both at once."""
    return Compiled(lambda who: answer(who)[0], lambda who: answer(who)[1], answer)


def never(_: Subject) -> int | None:
    """Time changes nothing."""
    return None


def earliest(changes: Iterable[NextChange]) -> NextChange:
    """The earliest of several."""
    timed = tuple(change for change in changes if change is not never)
    if len(timed) < 2:
        return timed[0] if timed else never

    def next_change(who: Subject) -> int | None:
        return min((at for change in timed if (at := change(who)) is not None), default=None)

    return next_change


def later(at: int, who: Subject) -> int | None:
    """The instant, if it still lies ahead."""
    return at if at > who.now else None


def leaf_of(who: Subject, key: str) -> LeafState | None:
    """What a leaf remembers of a customer; None where there was nothing yet."""
    leaves = who.part.get("leaves")
    return None if leaves is None else leaves.get(key)
