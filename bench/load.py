"""A load generator in a process of its own: `python -m bench.load SOURCE PORT BATCH CONNECTIONS SECONDS`.

Requests are made, and all connections too, before the clock starts; each connection sends one, reads its answer and
sends the next. Prints a JSON object: requests and events acknowledged, other answers, seconds, CPU seconds of this
process, p50 and p99 in ms.
"""

import asyncio
import random
import sys
import time
import uuid
from base64 import b64encode
from typing import Any, cast

import orjson
import uvloop

CUSTOMERS, EVENTS, SEED = 50_000, 20_000, 7
AGENTS = [
    *(
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{n}.0) Gecko/20100101 Firefox/{n}.0"
        for n in range(100, 140)
    ),
    *(f"Mozilla/5.0 (Linux; Android 14; K) Chrome/{n}.0.0.0 Mobile Safari/537.36" for n in range(100, 140)),
]
REFERRERS = ("", "https://www.google.com/", "https://shop.example/", "https://l.facebook.com/")
NAMES = ("Product Viewed", "Product Added", "Product Clicked", "Video Played", "Visit")


def message(drawn: random.Random, number: int) -> dict[str, Any]:
    """What segment-analytics-python sends for a track."""
    return {
        "type": "track",
        "event": drawn.choice(NAMES),
        "userId": f"user-{int(CUSTOMERS ** drawn.random())}",
        "anonymousId": None,
        "messageId": str(uuid.UUID(int=drawn.getrandbits(128), version=4)),
        "timestamp": f"2026-09-21T14:13:20.{drawn.randrange(10**6):06}+00:00",
        "properties": {
            "product_id": f"sku-{number % 1_000}",
            "price": 19.99,
            "category": "music",
            "quantity": 1,
        },
        "context": {"library": {"name": "analytics-python", "version": "2.3.3"}},
        "integrations": {},
    }


def browsed(drawn: random.Random, number: int) -> dict[str, Any]:
    """The same as a browser's SDK sends it: what enrichment reads is in its context."""
    search = "?utm_source=news&utm_campaign=spring" if drawn.random() < 0.2 else ""
    page = {
        "url": f"https://shop.example/products/{number % 2_000}{search}",
        "path": f"/products/{number % 2_000}",
        "referrer": drawn.choice(REFERRERS),
        "search": search,
        "title": "Shop",
    }
    context = {
        "library": {"name": "analytics.js", "version": "next-1.70.0"},
        "locale": "en-GB",
        "page": page,
        "timezone": "Europe/London",
        "userAgent": drawn.choice(AGENTS),
    }
    return {**message(drawn, number), "context": context}


SOURCES = {"server": message, "plain": browsed, "all": browsed}
"""What each source of `bench/sources.yaml` sends."""


def requests(batch: int, source: str) -> list[bytes]:
    """Whole HTTP requests, single posts where `batch` is 1; from an address of its first customer's own."""
    drawn = random.Random(SEED)
    events = [SOURCES[source](drawn, number) for number in range(EVENTS)]
    groups = [events[start : start + batch] for start in range(0, EVENTS, batch)]
    path, key = "track" if batch == 1 else "batch", b64encode(f"bench-{source}-write-key:".encode()).decode()
    made = []
    for group in groups:
        number = int(group[0]["userId"].removeprefix("user-"))
        body = orjson.dumps(group[0] if batch == 1 else {"batch": group})
        head = (
            f"POST /v1/{path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Basic {key}\r\n"
            f"X-Forwarded-For: 203.0.{number % 256}.{number // 256}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


class Sender(asyncio.Protocol):
    """One connection; an answer is one segment of a few hundred bytes."""

    def __init__(self, run: "Run") -> None:
        self.run = run

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def send(self) -> None:
        self.began = time.perf_counter()
        self.transport.write(self.run.next())

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self.run.note(data.startswith(b"HTTP/1.1 200 "), now - self.began)
        if now < self.run.until:
            self.send()


class Run:
    """What is sent and what came back."""

    def __init__(self, batch: int, source: str) -> None:
        self.ready, self.sent = requests(batch, source), 0
        self.acknowledged = self.others = 0
        self.times: list[float] = []
        self.over = asyncio.Event()
        self.until = 0.0

    def next(self) -> bytes:
        self.sent += 1
        return self.ready[self.sent % len(self.ready)]

    def note(self, acknowledged: bool, seconds: float) -> None:
        self.acknowledged += acknowledged
        self.others += not acknowledged
        self.times.append(seconds)
        if time.perf_counter() >= self.until and len(self.times) == self.sent:
            self.over.set()


async def main(source: str, port: int, batch: int, connections: int, seconds: int) -> dict[str, float]:
    run, loop = Run(batch, source), asyncio.get_running_loop()
    senders = [
        (await loop.create_connection(lambda: Sender(run), "127.0.0.1", port))[1] for _ in range(connections)
    ]
    began, cpu = time.perf_counter(), time.process_time()
    run.until = began + seconds
    for sender in senders:
        sender.send()
    await run.over.wait()
    for sender in senders:
        sender.transport.close()
    took, times = time.perf_counter() - began, sorted(run.times)
    return {
        "requests": run.acknowledged,
        "events": run.acknowledged * batch,
        "others": run.others,
        "seconds": took,
        "cpu": time.process_time() - cpu,
        "p50": 1e3 * times[len(times) // 2],
        "p99": 1e3 * times[int(len(times) * 0.99)],
    }


if __name__ == "__main__":
    print(orjson.dumps(uvloop.run(main(sys.argv[1], *map(int, sys.argv[2:6])))).decode())
