"""What tests put into the log: events, states and changes, built as their owners build them."""

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

import orjson
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from projections.registry import PROJECTIONS
from schemas import books, facts, topics
from schemas.changes import customer_id
from schemas.rejected import Reason, Rejection, headers
from schemas.semantics import entry_of
from schemas.settings import Settings
from schemas.topics import Topic

T0 = 1_767_225_600_000  # 2026-01-01T00:00:00Z
DAY = topics.DAY_MS
PARTITIONS = 4


class Rec(NamedTuple):
    """A record as the sink sees it, of a topic by its noun."""

    value: bytes | None
    key: bytes | None = b"user_id:a"
    headers: Sequence[tuple[str, bytes]] = ()
    topic: str = "cdp.test.v1"
    partition: int = 0
    offset: int = 0
    timestamp: int = T0


def event(key: str = "user_id:a", name: str = "Page Viewed", at: int = T0, **fields: Any) -> Rec:
    """An accepted event."""
    body = {
        "v": 1,
        "type": "track",
        "name": name,
        "message_id": str(uuid4()),
        "source": "web",
        "channel": "web",
        "occurred_at": at,
        "received_at": at,
        "identifiers": {"user_id": [key.partition(":")[2]]},
        "properties": {},
        "traits": {},
        "context": {},
        **fields,
    }
    return Rec(orjson.dumps(body), key.encode(), [("keys", key.encode())])


def order(key: str, order_id: str, total: str, at: int = T0, **fields: Any) -> Rec:
    """A completed order."""
    properties = {"order_id": order_id, "total": total, "currency": "USD"}
    return event(key, "Order Completed", at, properties=properties, **fields)


def part_of(events: Iterable[Rec]) -> facts.Part:
    """The facts of one identifier's events, as far as the projections show them."""
    part = facts.new_part(T0)
    for record in events:
        body = orjson.loads(record.value or b"")
        at, name = body["occurred_at"], body["name"]
        part["events"] += 1
        part["first"], part["last"] = min(part["first"], at), max(part["last"], at)
        part["own_first"], part["own_last"] = (
            facts.least(part["own_first"], at),
            facts.greatest(part["own_last"], at),
        )
        seen = part["names"].setdefault(name, [0, at, at])
        seen[0] += 1
        part["days"][str(at // DAY)] = part["days"].get(str(at // DAY), 0) + 1
        part["channels"][body["channel"]] = part["channels"].get(body["channel"], 0) + 1
        part["sources"][body["source"]] = part["sources"].get(body["source"], 0) + 1
        for namespace, values in body["identifiers"].items():
            for value in values:
                facts.put_identifier(part["identifiers"], namespace, value, (record.key or b"").decode())
        for trait, value in body["traits"].items():
            facts.put_trait(part["traits"], trait, [at, body["message_id"], value])
        entry = entry_of(name, body["properties"], body["message_id"])
        if entry:
            digest = f"{body['source']}/{body['message_id']}"
            if digest not in part["books"]["messages"]:
                books.post(part["books"], body["source"], entry, at, body["message_id"], digest)
    return part


def cluster(parts: dict[str, facts.Part], rev: int = 1, stage: str = "new", **published: Any) -> Rec:
    """The state of one customer whose greatest identifier is the first key."""
    keys = list(parts)
    last = {
        "head": keys[0],
        "members": keys,
        "stage": stage,
        "stage_since": T0,
        "lifecycle": "lifecycle/ecommerce/1",
        "sequence": 1,
        "moves": 0,
    }
    state = {
        "v": 3,
        "kind": "cluster",
        "members": keys,
        "parts": parts,
        "links": {},
        "said": {},
        "refused": {},
        "published": {customer_id(keys[0]): {**last, **published}},
        "at": T0,
        "due_at": None,
        "aged": False,
        "rev": rev,
        "seen": {},
        "seen_overflow": 0,
    }
    return Rec(orjson.dumps(state), keys[0].encode())


def change(key: str, sequence: int, from_: str | None, to: str, at: int) -> Rec:
    """A change of stage."""
    customer = customer_id(key)
    body = {
        "v": 1,
        "id": str(uuid4()),
        "customer_id": customer,
        "lifecycle": "lifecycle/ecommerce/1",
        "from": from_,
        "to": to,
        "effective_at": at,
        "caused_at": at,
        "cause": "time",
        "sequence": sequence,
        "identifiers": {"user_id": [key.partition(":")[2]]},
    }
    return Rec(orjson.dumps(body), customer.encode())


def moved(
    key: str, sequence: int, change: str, label: str, at: int, value: str = "", cause: str = "time"
) -> Rec:
    """A change of a label, as `segment/vip`."""
    customer = customer_id(key)
    kind, _, name = label.partition("/")
    body = {
        "v": 1,
        "id": str(uuid4()),
        "change": change,
        "customer_id": customer,
        "kind": kind,
        "name": name,
        "value": value,
        "definition": f"{label}/1",
        "effective_at": at,
        "caused_at": at,
        "cause": cause,
        "sequence": sequence,
        "identifiers": {"user_id": [key.partition(":")[2]]},
    }
    return Rec(orjson.dumps(body), customer.encode())


def conflict(key: str, other: str, at: int) -> Rec:
    """A change of identity: two that are not one customer."""
    customer = customer_id(key)
    body = {
        "v": 1,
        "id": str(uuid4()),
        "change": "conflict",
        "customer_id": customer,
        "other_id": None,
        "through": [key, other],
        "reason": "too_large",
        "effective_at": at,
        "stated_at": at,
        "cause": "shop/m1",
    }
    return Rec(orjson.dumps(body), customer.encode())


def rejection(reason: Reason, original: bytes) -> Rec:
    """A record of the rejected topic."""
    now = int(time.time() * 1000)  # they are kept 30 days
    told = headers(Rejection(reason, "what and where", original), "ingest", now, "m1")
    return Rec(original, b"web", told, timestamp=now)


def create_topics(settings: Settings) -> None:
    """The topics that the sink reads."""
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka)
    try:
        admin.create_topics(
            [
                NewTopic(
                    topic.name(settings.namespace),
                    topic.partitions or PARTITIONS,
                    1,
                    topic_configs=topic.config,
                )
                for topic in {projection.topic.noun: projection.topic for projection in PROJECTIONS}.values()
            ]
        )
    finally:
        admin.close()


def produce(settings: Settings, topic: Topic, records: Iterable[Rec], transaction: str | None = None) -> None:
    """Write records, acknowledged; in one transaction where an id is given."""
    options: dict[str, Any] = {"transactional_id": transaction} if transaction else {}
    producer = KafkaProducer(bootstrap_servers=settings.kafka, acks="all", linger_ms=5, **options)
    try:
        if transaction:
            producer.init_transactions()
            producer.begin_transaction()
        for record in records:
            producer.send(
                topic.name(settings.namespace),
                key=record.key,
                value=record.value,
                headers=list(record.headers),
                partition=topics.partition_of((record.key or b"").decode(), topic.partitions or PARTITIONS),
                timestamp_ms=record.timestamp,
            )
        if transaction:
            producer.commit_transaction()
        producer.flush()
    finally:
        producer.close()
