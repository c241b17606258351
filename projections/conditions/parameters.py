"""Values of definitions on their way to ClickHouse: as parameters, never as text of a query."""

from collections.abc import Iterable
from typing import Any


class Parameters:
    """What a query's placeholders stand for; equal values share one."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._names: dict[Any, str] = {}

    def of(self, value: str | int) -> str:
        """The placeholder of a string or an integer."""
        return self._of((type(value), value), value)

    def texts(self, values: Iterable[str]) -> str:
        """The placeholder of an array of strings, without repetitions and in alphabetical order."""
        found = sorted({*values})
        return self._of(("texts", *found), found)

    def listed(self, values: Iterable[str]) -> str:
        """The placeholder of an array of strings as it is."""
        found = list(values)
        return self._of(("listed", *found), found)

    def _of(self, same: Any, value: Any) -> str:
        name = self._names.setdefault(same, f"p{len(self._names)}")
        self.values[name] = value
        return f"%({name})s"
