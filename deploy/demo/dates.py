"""By how many days the demo's dates are moved: found once for a deployment, and remembered."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from deploy.demo.orders import Order, days_until
from deploy.demo.stored import stored
from deploy.progress import wait_until_written
from schemas.errors import ConfigError
from schemas.genesis import Genesis
from schemas.settings import Settings


class Moved(BaseModel):
    """What `<home>/demo.json` remembers: the deployment, for its data may be wiped and the home stay."""

    deployment: str
    days: int


def days_moved(settings: Settings, genesis: Genesis, orders: Sequence[Order], *, keep: bool) -> int:
    """The days by which this deployment's demo is moved, from its first run on.

    ConfigError where they are to be kept and were moved before: an order's first date stands.
    """
    path = settings.home / "demo.json"
    days = _remembered(path, genesis)
    if days is None:
        days = _in_the_data(settings, genesis, orders)
    if days is None:
        zone = ZoneInfo(genesis.timezone)
        days = 0 if keep else days_until(orders, datetime.now(zone).date() - timedelta(days=1))
    _remember(path, Moved(deployment=genesis.deployment, days=days))
    if keep and days:
        what = f"this deployment holds the demo's orders moved by {days} days, which stands for ever"
        raise ConfigError(what, "--keep-dates", "leave it out, or found a new deployment: another CDP_HOME")
    return days


def _remembered(path: Path, genesis: Genesis) -> int | None:
    if not path.exists():
        return None
    try:
        moved = Moved.model_validate_json(path.read_bytes())
    except ValidationError:
        hint = "delete it: the days are found again from the data"
        raise ConfigError("this file does not say how the demo's dates are moved", str(path), hint) from None
    return moved.days if moved.deployment == genesis.deployment else None


def _in_the_data(settings: Settings, genesis: Genesis, orders: Sequence[Order]) -> int | None:
    """What an earlier run did whose home is lost: the first order is posted first, so it is there if any is."""
    wait_until_written(settings)
    first = stored(settings).first
    if first is None:
        return None
    return (first.astimezone(ZoneInfo(genesis.timezone)).date() - orders[0].day).days


def _remember(path: Path, moved: Moved) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(moved.model_dump_json() + "\n")
    draft.replace(path)
