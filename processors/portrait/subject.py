"""The one that conditions are asked about: a customer's facts, at a logical time, beside what it is already."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from processors.calendar import Calendar
from schemas import money
from schemas.facts import Part
from schemas.labels import Stage

_NOTHING = Decimal(0)


class Scores(NamedTuple):
    """How a customer ranks in the whole base, 1 to 5 each."""

    relationship: int
    frequency: int
    monetary: int


@dataclass(slots=True)
class Subject:
    """A customer at a time.

    `part`: the union of its facts. `now`: Unix ms; `today`: its local day number. `rates`: what one unit of a currency
    is in the deployment's. `labels` (kind/name -> value), `stage` and `scores`: of the definitions that were evaluated
    before the one that is asked. `members`: the keys of its identifiers; None where all that were stated are its own.
    `totals`: what was found of the part at this time, for other conditions that ask the same.
    """

    part: Part
    now: int
    today: int
    calendar: Calendar
    currency: str
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    stage: Stage | None = None
    scores: Scores | None = None
    members: Collection[str] | None = None
    totals: dict[str, Any] = field(default_factory=dict)

    def worth(self, amounts: Mapping[str, str]) -> tuple[Decimal, int]:
        """Amounts by currency in the deployment's, and how many are left out for want of a rate.

        Amounts that name no currency are the deployment's.
        """
        total, left_out = _NOTHING, 0
        for currency, amount in amounts.items():
            value = self.value(currency, amount)
            if value is None:
                left_out += 1
            else:
                total = value if total is _NOTHING else money.EXACT.add(total, value)
        return total, left_out

    def revenue(self) -> tuple[Decimal, int]:
        """Net revenue, as `worth` has it."""
        found: tuple[Decimal, int] | None = self.totals.get("revenue")
        if found is None:
            found = self.totals["revenue"] = self.worth(self.part["books"]["totals"]["revenue"])
        return found

    def value(self, currency: str, amount: str) -> Decimal | None:
        """An amount in the deployment's currency; None where there is no rate."""
        if currency in ("", self.currency):
            return Decimal(amount)
        rate = self.rates.get(currency)
        return None if rate is None else money.EXACT.multiply(Decimal(amount), rate)
