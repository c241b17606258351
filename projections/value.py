"""The quantiles of the whole base by which value is scored: read from ClickHouse, exact, the same each time."""

from decimal import ROUND_CEILING, Decimal
from typing import Any, NamedTuple

from clickhouse_driver import errors

from projections import conditions
from projections.conditions import Context, Query
from projections.connect import connect, reason, retried, where
from schemas.errors import Unavailable
from schemas.portrait import Value
from schemas.settings import Settings

PATIENCE = 10.0
_PLACES = Decimal("0.000000001")
_QUANTILES = """\
SELECT count(),
       quantilesExactLow(0.2, 0.4, 0.6, 0.8)(assumeNotNull(measured.2)),
       quantilesExactLow(0.2, 0.4, 0.6, 0.8)(measured.3),
       quantilesExactLow(0.2, 0.4, 0.6, 0.8)(measured.4)
FROM (SELECT tuple(*) AS measured FROM ({measured}))
"""
Whole = tuple[int, int, int, int]
Amounts = tuple[Decimal, Decimal, Decimal, Decimal]


class Base(NamedTuple):
    """What is at 20, 40, 60 and 80 % of all `customers` who did anything of their own."""

    relationship: Whole
    frequency: Whole
    monetary: Amounts
    customers: int


def base(settings: Settings, value: Value, context: Context) -> Base | None:
    """The base now, under the rates of the context; None while it has nobody. Unavailable without ClickHouse.

    Each is a measure that somebody has. Of amounts nine digits after the point are kept, rounded up: nobody passes what
    is their own.
    """
    query = quantiles(value, context)
    try:
        with connect(settings) as client:
            found = retried(settings, lambda: conditions.ask(client, query), PATIENCE)
    except errors.ServerException as error:
        raise Unavailable(reason(error), where(settings), "`cdp migrate` makes its tables") from error
    ((customers, relationship, frequency, monetary),) = found
    if not customers:
        return None
    return Base(_whole(relationship), _whole(frequency), _amounts(monetary), customers)


def quantiles(value: Value, context: Context) -> Query:
    """One row: customers, and the quantiles of relationship, frequency and monetary."""
    measured = conditions.measured(value, context)
    return Query(_QUANTILES.replace("{measured}", measured.sql), measured.params)


def _whole(found: Any) -> Whole:
    a, b, c, d = (int(each) for each in found)
    return a, b, c, d


def _amounts(found: Any) -> Amounts:
    a, b, c, d = (Decimal(each).quantize(_PLACES, ROUND_CEILING) for each in found)
    return a, b, c, d
