"""Lines of a file: numbered, and none longer than can be held. Pure but for the file that it reads."""

from collections import deque
from collections.abc import Iterator
from typing import IO, NamedTuple

MAX_LINE = 256 * 1024
"""Bytes; an event may have 32 KiB."""
READ = 256 * 1024


class Line(NamedTuple):
    """A line with its number, without its end. `whole`: or it is just the start of one that is too long."""

    number: int
    text: bytes
    whole: bool = True


def lines(file: IO[bytes]) -> Iterator[Line]:
    """The lines of a file, the last also without an end; of a longer one its start, in bounded memory."""
    rest, number, dropping = b"", 0, False
    while block := file.read(READ):
        parts = (rest + block).split(b"\n")
        rest = parts.pop()
        for part in parts:
            if dropping:
                dropping = False
                continue
            number += 1
            yield Line(number, part.removesuffix(b"\r")) if len(part) <= MAX_LINE else _start(number, part)
        if dropping:
            rest = b""
        elif len(rest) > MAX_LINE:
            number += 1
            yield _start(number, rest)
            rest, dropping = b"", True
    if rest and not dropping:
        yield Line(number + 1, rest.removesuffix(b"\r"))


def _start(number: int, text: bytes) -> Line:
    return Line(number, text[:1_024], whole=False)


class Again:
    """Lines of which the last ones can be given back, to be read again."""

    def __init__(self, source: Iterator[Line]) -> None:
        self._source, self._given = source, deque[Line]()

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        return self._given.popleft() if self._given else next(self._source)

    def give_back(self, given: list[Line]) -> None:
        """Have these come next."""
        self._given.extendleft(reversed(given))
