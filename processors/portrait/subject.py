"""The one that conditions are asked about: a customer's facts, at a logical time, beside what it is already."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from processors.calendar import Calendar
from schemas import money
from schemas.facts import Part
from schemas.labels import Stage


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
    members: frozenset[str] | None = None

    def worth(self, amounts: Mapping[str, str]) -> tuple[Decimal, int]:
        """Amounts by currency in the deployment's, and how many are left out for want of a rate.

        Amounts that name no currency are the deployment's.
        """
        total, left_out = Decimal(0), 0
        for currency, amount in amounts.items():
            value = self.value(currency, amount)
            if value is None:
                left_out += 1
            else:
                total = money.EXACT.add(total, value)
        return total, left_out

    def value(self, currency: str, amount: str) -> Decimal | None:
        """An amount in the deployment's currency; None where there is no rate."""
        if currency in ("", self.currency):
            return Decimal(amount)
        rate = self.rates.get(currency)
        return None if rate is None else money.EXACT.multiply(Decimal(amount), rate)
