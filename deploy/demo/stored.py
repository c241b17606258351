"""What the platform holds of the demo's orders: `orders.sql`."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from deploy.demo.orders import CURRENCY, IDS
from deploy.demo.shop import SOURCE
from projections.connect import connect, retried
from schemas.settings import Settings

SQL = Path(__file__).parent / "orders.sql"
PATIENCE = 10.0


class Stored(NamedTuple):
    """The demo's orders in the views; `first` is the instant of the earliest, None where there is none."""

    orders: int
    customers: int  # who placed them, as the platform joined them
    revenue: Decimal  # before refunds, in orders.CURRENCY
    first: datetime | None


def stored(settings: Settings) -> Stored:
    """Read it as the analysts' user; Unavailable where ClickHouse cannot be reached."""
    parameters = {"source": SOURCE, "ids": IDS, "currency": CURRENCY}
    sql = SQL.read_text("utf-8")
    with connect(settings, analyst=True) as client:
        rows = retried(settings, lambda: client.execute(sql, parameters), PATIENCE)
    orders, customers, revenue, first = rows[0]
    return Stored(orders, customers, revenue, first if orders else None)
