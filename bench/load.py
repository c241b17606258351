"""A load generator in a process of its own: `python -m bench.load PORT BATCH CONNECTIONS SECONDS`.

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
from typing import cast

import orjson
import uvloop

CUSTOMERS, EVENTS, SEED = 50_000, 20_000, 7
AUTHORIZATION = b64encode(b"local-shop-write-key:")
NAMES = ("Product Viewed", "Product Added", "Product Clicked", "Video Played", "Visit")


def message(drawn: random.Random, number: int) -> dict[str, object]:
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


def requests(batch: int) -> list[bytes]:
    """Whole HTTP requests, single posts where `batch` is 1."""
    drawn = random.Random(SEED)
    events = [message(drawn, number) for number in range(EVENTS)]
    groups = [events[start : start + batch] for start in range(0, EVENTS, batch)]
    bodies = [orjson.dumps(group[0] if batch == 1 else {"batch": group}) for group in groups]
    head = b"POST /v1/%b HTTP/1.1\r\nHost: bench\r\nAuthorization: Basic %b\r\nContent-Length: %d\r\n\r\n%b"
    path = b"track" if batch == 1 else b"batch"
    return [head % (path, AUTHORIZATION, len(body), body) for body in bodies]


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

    def __init__(self, batch: int) -> None:
        self.ready, self.sent = requests(batch), 0
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


async def main(port: int, batch: int, connections: int, seconds: int) -> dict[str, float]:
    run, loop = Run(batch), asyncio.get_running_loop()
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
    print(orjson.dumps(uvloop.run(main(*map(int, sys.argv[1:5])))).decode())
