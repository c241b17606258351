"""What an event costs outside the server: what was sent is read, checked, mapped and accepted in this process."""

import gc
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar

import orjson
import uvloop
from starlette.types import Message

from bench.messages import customer
from bench.senders import AT, DRAWN, SECRETS, Sent, webhooks
from deploy.sources.seed import first, of_file
from ingest.accept import Accepted, accept
from ingest.adapters.adapter import Hook
from ingest.adapters.registry import ADAPTERS
from ingest.brokers import records, topics
from ingest.brokers.rows import MAX_ROW, Given, taken
from ingest.canonical import Arrival, Desk
from ingest.doors import Door, Doors
from ingest.enrichment.geo import Geo
from ingest.enrichment.registry import enriching
from ingest.hooks import MAX_ADAPTED, MAX_HOOK
from ingest.mapping import compiled
from ingest.requests import Held, Hold, read
from ingest.server import GARBAGE
from ingest.usage import Tally
from schemas import mapping
from schemas.definitions import load
from schemas.errors import ProcessFailed
from schemas.identity import IdentityRules
from schemas.settings import Settings

EVENTS, TOGETHER = 6_000, 100
"""Events that are measured; records of a broker that are taken together."""
EXAMPLES = Path(__file__).parent.parent / "docs" / "examples"
One = TypeVar("One")


def doors_of(settings: Settings, geo: Path) -> Doors:
    """The doors of the deployment's declared sources, as ingest opens them."""
    rules = load("default", "identity")
    assert isinstance(rules, IdentityRules)
    doors = Doors(rules, settings, Tally("bench", settings.timezone), enriching(Geo(geo)))
    for key, value in first(settings, of_file(settings)).items():
        doors.apply(key, value)
    return doors


def hook_us(door: Door, batch: int) -> float:
    """CPU an event of a source's hooks, of `batch` events each, in µs."""
    assert door.source.adapter is not None
    adapter, secrets, config = ADAPTERS[door.source.adapter], SECRETS[door.source.adapter], door.source.config
    desk, held = replace(door.desk, most=MAX_ADAPTED), Held()
    now = time.time_ns() // 1_000_000

    async def take(sent: Hook) -> Accepted:
        hold = Hold(held)

        async def receive() -> Message:
            return {"type": "http.request", "body": sent.body}

        body = await read(receive, b"", hold, most=MAX_HOOK)
        hook = Hook(sent.method, sent.query, sent.headers, body, now)
        accepted = accept(adapter.take(hook, secrets, config).messages, desk, Arrival(now, "bench"))
        hold.release()
        return accepted

    return _us([hook_of(sent, now) for sent in webhooks(door.source.name, batch, EVENTS, now // 1_000)], take)


def hook_of(sent: Sent, now: int) -> Hook:
    """A request as the server hands it over."""
    headers = {name.lower().encode(): value.encode() for name, value in sent.headers.items()}
    return Hook("POST", sent.query, headers, sent.body, now)


def mqtt_us(desk: Desk) -> float:
    """CPU an event of devices' messages, by the documented example's mapping, in µs."""
    example = mapping.load(EXAMPLES / "mqtt.yaml")
    assert example.mqtt is not None
    named, drawn, given = topics.levels(example.mqtt.topics), DRAWN(), []
    for number in range(EVENTS):
        visit = {
            "card": str(7_000_000 + customer(drawn)),
            "at": "2026-09-21T14:13:20+02:00",
            "number": number,
        }
        topic = f"shops/s{number % 40}/kiosks/k{number % 400}/visit"
        given.append(topics.given("kiosks", named, topic, orjson.dumps(visit), {}, 1))
    return _rows_us(example, desk, given)


def pull_us(desk: Desk) -> float:
    """CPU an event of another Kafka's records, by the documented example's mapping, in µs."""
    drawn, headers = DRAWN(), [("kind", b"order-placed")]
    at = {"topic": "erp.orders", "partition": 0, "timestamp": AT * 1_000, "headers": headers}
    given = []
    for offset in range(EVENTS):
        who = customer(drawn)
        order = {"order": {"id": f"O-{offset}", "sum": 99.5}, "mail": f"k{who}@shop.example"}
        record = SimpleNamespace(**at, offset=offset, key=f"user-{who}".encode(), value=orjson.dumps(order))
        given.append(records.given("erp", record))
    return _rows_us(mapping.load(EXAMPLES / "pull.yaml"), desk, given)


def _rows_us(example: mapping.Mapping, desk: Desk, given: list[Given]) -> float:
    mapped, desk = compiled(example, "UTC"), replace(desk, enrich=None, most=MAX_ROW)

    async def take(part: list[Given]) -> Accepted:
        return taken(part, mapped, desk, Arrival(AT * 1_000, "bench"))

    return _us([given[start : start + TOGETHER] for start in range(0, EVENTS, TOGETHER)], take)


def _us(requests: list[One], take: Callable[[One], Awaitable[Accepted]]) -> float:
    """CPU an event, once a tenth of them has warmed what remembers; ProcessFailed where one is refused."""

    async def timed() -> float:
        cold, events, began = len(requests) // 10, 0, 0.0
        for number, request in enumerate(requests):
            if number == cold:
                events, began = 0, time.thread_time()
            accepted = await take(request)
            if accepted.refused:
                raise ProcessFailed(
                    "an event of the benchmark is refused", accepted.refused[0].rejection.detail
                )
            events += len(accepted.events)
        return (time.thread_time() - began) / events * 1e6

    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE, 20, 20)  # as ingest does
    try:
        return uvloop.run(timed())
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
