"""Events as `ingest` would have written them, with keys that need no secret: `user_id:ada`."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from schemas.changes import customer_id
from schemas.event import Clock, Event, Marker, Tick

DAY = 86_400_000
HOUR = 3_600_000
LIFECYCLES = ("ecommerce", "gym")


class Record(NamedTuple):
    """A record of the log as aiokafka gives it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Said(NamedTuple):
    """A record to be: key, value and the keys of all its identifiers."""

    key: str
    value: bytes
    keys: str

    def headers(self) -> list[tuple[str, bytes]]:
        return [("keys", self.keys.encode())] if self.keys else []


def at(day: str) -> int:
    """The instant of an ISO date or time, UTC."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)


def event(
    name: str,
    when: int,
    *,
    who: str = "ada",
    id_: str = "",
    received: int | None = None,
    others: Iterable[str] = (),
    source: str = "shop",
    **fields: Any,
) -> Said:
    """One event of a customer; its id says what it is unless told."""
    properties = fields.pop("properties", {})
    body = {
        "v": 1,
        "type": fields.pop("type", "track"),
        "name": name,
        "message_id": id_ or f"{name}@{when}",
        "source": source,
        "channel": fields.pop("channel", "web"),
        "occurred_at": when,
        "received_at": when if received is None else received,
        "identifiers": {"user_id": [who]},
        "properties": properties,
        "traits": fields.pop("traits", {}),
        "context": {},
        **fields,
    }
    Event.model_validate(body)
    keys = [f"user_id:{who}", *others]
    return Said(keys[0], orjson.dumps(body), " ".join(keys))


def order(number: str, when: int, total: str = "10", **fields: Any) -> Said:
    """An order; its number gives the message's id unless told."""
    properties = {"order_id": number, "total": total, "currency": "USD"}
    return event("Order Completed", when, **{"id_": f"order {number}", "properties": properties, **fields})


def cancel(id_: str, when: int, **fields: Any) -> Said:
    return event("Order Cancelled", when, id_=f"cancel {id_}", properties={"order_id": id_}, **fields)


def refund(id_: str, when: int, total: str | None = None, refund_id: str = "r", **fields: Any) -> Said:
    amount = {} if total is None else {"total": total, "currency": "USD"}
    properties = {"order_id": id_, "refund_id": refund_id, **amount}
    return event("Order Refunded", when, id_=f"refund {id_} {refund_id}", properties=properties, **fields)


def contract(id_: str, when: int, ends: str, **fields: Any) -> Said:
    properties = {"contract_id": id_, "ends_at": ends}
    return event("Contract Signed", when, id_=f"contract {id_}", properties=properties, **fields)


def renewal(id_: str, when: int, ends: str, **fields: Any) -> Said:
    properties = {"contract_id": id_, "ends_at": ends}
    return event("Contract Renewed", when, id_=f"renewal {id_} {when}", properties=properties, **fields)


def tick(when: int, by: str = "owner") -> Said:
    return Said("tick", Tick.model_validate({"at": when, "by": by}).model_dump_json().encode(), "")


def clock(running: bool) -> Said:
    return Said("clock", Clock(running=running).model_dump_json().encode(), "")


def marker(kind: str, definition: str) -> Said:
    value = Marker.model_validate({"kind": kind, "definition": definition}).model_dump_json()
    return Said("marker", value.encode(), "")


def customer(who: str = "ada") -> str:
    return customer_id(f"user_id:{who}")
