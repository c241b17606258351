"""How many events of each source were taken today, by all processes together. Pure.

A counter that only needs to be told: each process counts its own and writes that (`ingest.reporting`), and hears what
the others wrote. The sum is exact but for what they took in the last second or so.
"""

from collections import Counter, defaultdict

from pydantic import ValidationError

from schemas.sources import Usage, day_of, usage_key

Place = tuple[str, str]
"""A day and a source."""


class Tally:
    """The counts as one process knows them; `process` is its name, which no other ever had."""

    def __init__(self, process: str, timezone: str) -> None:
        self._process, self._timezone = process, timezone
        self._second, self._today = -1, ""
        self._sums: Counter[Place] = Counter()
        self._own: Counter[Place] = Counter()
        self._others: defaultdict[Place, dict[str, int]] = defaultdict(dict)
        self._unwritten: set[Place] = set()

    def used(self, source: str, now: int) -> int:
        """Events of a source that are counted on the day of an instant, Unix ms."""
        return self._sums[self._day(now), source]

    def add(self, source: str, events: int, now: int) -> None:
        """Count what this process took; less than none where it was not taken after all."""
        place = self._day(now), source
        self._own[place] += events
        self._sums[place] += events
        self._unwritten.add(place)

    def apply(self, key: str, value: bytes | None) -> None:
        """Hear of a record of `cdp.usage.v1`; ValueError where it is none."""
        day, source, process = _parts(key)
        if process == self._process or day < self._today:
            return
        place = day, source
        events = 0 if value is None else _events(value)
        self._sums[place] += events - self._others[place].get(process, 0)
        self._others[place][process] = events

    def unwritten(self) -> dict[str, bytes]:
        """The records of what was counted since the last call."""
        places, self._unwritten = self._unwritten, set()
        return {
            usage_key(*place, self._process): Usage(events=max(0, self._own[place]))
            .model_dump_json()
            .encode()
            for place in places
        }

    def write_again(self, keys: set[str]) -> None:
        """Take back that these records were written."""
        places = {_parts(key)[:2] for key in keys}
        self._unwritten |= {place for place in places if place in self._own}

    def _day(self, now: int) -> str:
        second = now // 1000
        if second != self._second:
            self._second, day = second, day_of(now, self._timezone)
            if day != self._today:
                self._forget(day)
        return self._today

    def _forget(self, today: str) -> None:
        """Past days count no more."""
        self._today = today
        for counts in (self._sums, self._own, self._others):
            for place in [place for place in counts if place[0] < today]:
                del counts[place]


def _parts(key: str) -> tuple[str, str, str]:
    day, source, process = key.split("/")
    return day, source, process


def _events(value: bytes) -> int:
    try:
        return Usage.model_validate_json(value).events
    except ValidationError as error:
        raise ValueError(f"not a usage: {error.error_count()} faults") from None
