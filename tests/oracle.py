"""What every customer's facts and stage must be: a naive computation over the whole log, at once and without a fold.

It imports nothing of the rooms that it judges, not even `schemas`; it knows the two presets by heart.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

Body = dict[str, Any]
NOT_OWN = {
    "Order Cancelled", "Order Refunded", "Message Sent", "Message Delivered", "Message Bounced", "Identified",
    "Grouped", "Aliased", "Order Fulfilled", "Refund Noted", "Order Deleted", "Customer Deleted", "Message Deferred",
    "Message Dropped", "Message Read", "Account Acted", "Contact Edited", "Contact Transfer Failed", "Contact Removed",
}  # fmt: skip


def facts(events: Iterable[Body], zone: str = "UTC") -> dict[str, Any]:
    """The facts of one primary identifier's events; repetitions of (source, message_id) count once."""
    once = {(e["source"], e["message_id"]): e for e in events}.values()
    own = [e["occurred_at"] for e in once if e["name"] not in NOT_OWN]
    orders, contracts = _orders(once), _contracts(once)
    paid = [order for order in orders.values() if order["amount"] is not None and not order["cancelled"]]
    revenue, refunded, stored = Counter[str](), Counter[str](), Counter[str]()
    for order in paid:
        revenue[order["currency"]] += order["amount"] - order["back"]
        refunded[order["currency"]] += order["back"]
    for (_, _), (_, _, amount, currency) in _latest(once, "movement_id", ("Value Loaded", "Value Spent")):
        stored[currency] += amount
    return {
        "events": len(once),
        "first": min(e["occurred_at"] for e in once),
        "last": max(e["occurred_at"] for e in once),
        "own_first": min(own, default=None),
        "own_last": max(own, default=None),
        "names": dict(Counter(e["name"] for e in once)),
        "name_last": {n: max(e["occurred_at"] for e in once if e["name"] == n) for n in {e["name"] for e in once}},
        "days": {str(day): n for day, n in Counter(_day(o, zone) for o in own).items()},
        "channels": dict(Counter(e["channel"] for e in once)),
        "sources": dict(Counter(e["source"] for e in once)),
        "traits": _traits(once),
        "purchases": sum(order["back"] < order["amount"] or not order["refunds"] for order in paid),
        "revenue": _amounts(revenue),
        "refunded": _amounts(refunded),
        "stored_value": _amounts(stored),
        "contracts": sum(c["signed"] for c in contracts.values()),
        "renewals": sum(c["renewals"] for c in contracts.values()),
        "contract_end": max((c["ends"][2] for c in contracts.values()), default=None),
    }  # fmt: skip


def stage(lifecycle: str, known: dict[str, Any], now: int, zone: str = "UTC") -> str:
    """The stage that these facts make at this time."""
    return (_ecommerce if lifecycle == "ecommerce" else _gym)(known, now, zone)


def midnight(day: date, zone: str) -> int:
    """The first instant at which the local date is this day or later, Unix ms, found by trying."""
    low = int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("UTC")).timestamp()) - 2 * 86_400
    high = low + 4 * 86_400
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, ZoneInfo(zone)).date() >= day:
            high = middle
        else:
            low = middle
    return high * 1000


def local_date(instant: int, zone: str) -> date:
    """The local date of an instant."""
    return datetime.fromtimestamp(instant / 1000, ZoneInfo(zone)).date()


def _ecommerce(known: dict[str, Any], now: int, zone: str) -> str:
    if known["purchases"]:
        for name, days in (("churned", 365), ("silent", 90)):
            if _since(known["own_last"], days, now, zone):
                return name
        return "mature" if known["purchases"] > 1 else "new"
    return "responder" if {"Signed Up", "Account Followed"} & known["names"].keys() else "prospect"


def _gym(known: dict[str, Any], now: int, zone: str) -> str:
    end = known["contract_end"]
    if end is not None and now >= midnight(date.fromisoformat(end) + timedelta(days=1), zone):
        return "churned"
    if known["contracts"]:
        visits = [known["name_last"].get(n) for n in ("Visit", "Contract Signed", "Contract Renewed")]
        if _since(max((v for v in visits if v is not None), default=None), 30, now, zone):
            return "silent"
    if known["renewals"] or known["contracts"] > 1 or (known["contracts"] and known["purchases"]):
        return "mature"
    if known["contracts"]:
        return "new"
    return "responder" if "Phone Left" in known["names"] else "prospect"


def _since(last: int | None, days: int, now: int, zone: str) -> bool:
    return last is not None and now >= midnight(local_date(last, zone) + timedelta(days=days), zone)


def _day(instant: int, zone: str) -> int:
    return (local_date(instant, zone) - date(1970, 1, 1)).days


def _amounts(amounts: "Counter[str]") -> dict[str, Decimal]:
    return {currency: Decimal(amount) for currency, amount in amounts.items() if amount}


def _stated(e: Body, names: tuple[str, ...]) -> Decimal | None:
    values = [e["properties"].get(name) for name in names if e["properties"].get(name) is not None]
    return Decimal(values[0]) if values else None


def _id(e: Body, field: str) -> tuple[str, str]:
    return e["source"], str(e["properties"].get(field) or e["message_id"])


def _orders(once: Iterable[Body]) -> dict[tuple[str, str], dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    latest = dict(_latest(once, "order_id", ("Order Completed",)))
    for e in once:
        if e["name"] in ("Order Completed", "Order Cancelled", "Order Refunded"):
            order = found.setdefault(_id(e, "order_id"), {"cancelled": False, "refunds": {}})
            order["cancelled"] |= e["name"] == "Order Cancelled"
            if e["name"] == "Order Refunded":
                amount, sub = _stated(e, ("total", "revenue", "value")), str(_id(e, "refund_id")[1])
                if e["properties"].get("refunded_total") is not None:
                    amount, sub = _stated(e, ("refunded_total",)), "so far"
                refund = (amount is None, amount or Decimal(0), e["properties"].get("currency") or "")
                order["refunds"][sub] = max(refund, order["refunds"].get(sub, refund))
    for key, order in found.items():
        _, _, order["amount"], order["currency"] = latest.get(key, (0, "", None, ""))
        if order["amount"] is not None:
            refunds = order["refunds"].values()
            mine = {r: a for r, (_, a, c) in order["refunds"].items() if c in ("", order["currency"])}
            so_far = mine.pop("so far", Decimal(0))
            back = max(sum(mine.values(), Decimal(0)), so_far)
            order["back"] = order["amount"] if any(r[0] for r in refunds) else min(back, order["amount"])
    return found


def _latest(once: Iterable[Body], field: str, names: tuple[str, ...]) -> list[tuple[tuple[str, str], Any]]:
    """Of each object, the latest statement: (occurred_at, message_id, signed amount, currency)."""
    found: dict[tuple[str, str], Any] = {}
    for e in once:
        if e["name"] in names:
            amounts = ("total", "revenue", "value") if field == "order_id" else ("amount", "value")
            amount = (_stated(e, amounts) or Decimal(0)) * (-1 if e["name"] == "Value Spent" else 1)
            said = (e["occurred_at"], e["message_id"], amount, e["properties"].get("currency") or "")
            key = _id(e, field)
            found[key] = max(said, found.get(key, said), key=lambda s: s[:2])
    return list(found.items())


def _contracts(once: Iterable[Body]) -> dict[tuple[str, str], dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for e in once:
        if e["name"] in ("Contract Signed", "Contract Renewed"):
            said = (e["occurred_at"], e["message_id"], e["properties"]["ends_at"])
            held = found.setdefault(_id(e, "contract_id"), {"signed": False, "renewals": 0, "ends": said})
            held["signed"] |= e["name"] == "Contract Signed"
            held["renewals"] += e["name"] == "Contract Renewed"
            held["ends"] = max(held["ends"], said)
    return found


def _traits(once: Iterable[Body]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for e in sorted(once, key=lambda e: (e["occurred_at"], e["message_id"])):
        found |= e["traits"]
    return found
