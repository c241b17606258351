"""What a benchmark gives: figures, each beside its limit, and the memory of every process."""

import os
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value; `limit` is None where a figure only stands beside another (a peer's, a part of it)."""

    what: str
    value: float
    unit: str
    limit: float | None = None
    bound: Literal["at most", "at least"] = "at most"

    @property
    def holds(self) -> bool | None:
        """Whether the limit is kept; None where there is none."""
        if self.limit is None:
            return None
        return self.value <= self.limit if self.bound == "at most" else self.value >= self.limit


@dataclass(slots=True)
class Result:
    """One benchmark: `load` is the machine's load average before it, `memory` MB (resident, peak) by process."""

    name: str
    about: str
    load: float = field(default_factory=lambda: os.getloadavg()[0])
    figures: list[Figure] = field(default_factory=list)
    memory: dict[str, tuple[float, float]] = field(default_factory=dict)

    def add(
        self,
        what: str,
        value: float,
        unit: str,
        limit: float | None = None,
        bound: Literal["at most", "at least"] = "at most",
    ) -> None:
        """Note a figure."""
        self.figures.append(Figure(what, value, unit, limit, bound))

    def as_json(self) -> dict[str, Any]:
        """The result as it is written to the JSON file."""
        return {
            "name": self.name,
            "about": self.about,
            "load": self.load,
            "figures": [
                {
                    "what": f.what,
                    "value": f.value,
                    "unit": f.unit,
                    "limit": f.limit,
                    "bound": f.bound,
                    "holds": f.holds,
                }
                for f in self.figures
            ],
            "memory_mb": {name: {"resident": now, "peak": peak} for name, (now, peak) in self.memory.items()},
        }
