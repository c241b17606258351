"""A load generator in a process of its own: `python -m bench.load SOURCE PORT BATCH CONNECTIONS SECONDS`.

Requests are made, and all connections too, before the clock starts; each connection sends one, reads its answer and
sends the next. Prints a JSON object: requests and events acknowledged, other answers, seconds, CPU seconds of this
process, p50 and p99 in ms.
"""

import asyncio
import random
import sys
import time
from base64 import b64encode
from typing import cast

import orjson
import uvloop

from bench.messages import browsed, message
from bench.senders import SENDERS, webhooks

EVENTS, SEED = 20_000, 7
SOURCES = {"server": message, "plain": browsed, "all": browsed}
"""What each source of `bench/sources.yaml` sends."""


def requests(batch: int, source: str) -> list[bytes]:
    """Whole HTTP requests of EVENTS events, as a source of `bench/sources.yaml` or `bench/hooks.yaml` is sent them."""
    return hooked(batch, source) if source in SENDERS else posted(batch, source)


def posted(batch: int, source: str) -> list[bytes]:
    """What an SDK posts, single posts where `batch` is 1; from an address of its first customer's own."""
    drawn = random.Random(SEED)
    events = [SOURCES[source](drawn, number) for number in range(EVENTS)]
    groups = [events[start : start + batch] for start in range(0, EVENTS, batch)]
    path, key = "track" if batch == 1 else "batch", b64encode(f"bench-{source}-write-key:".encode()).decode()
    made = []
    for group in groups:
        number = int(group[0]["userId"].removeprefix("user-"))
        body = orjson.dumps(group[0] if batch == 1 else {"batch": group})
        address = f"203.0.{number % 256}.{number // 256}"
        made.append(
            request(f"/v1/{path}", {"Authorization": f"Basic {key}", "X-Forwarded-For": address}, body)
        )
    return made


def hooked(batch: int, source: str) -> list[bytes]:
    """What another system sends, signed now."""
    sent = webhooks(source, batch, EVENTS, int(time.time()))
    return [request(f"/hooks/{source}{each.target}", each.headers, each.body) for each in sent]


def request(target: str, headers: dict[str, str], body: bytes) -> bytes:
    """A whole HTTP request."""
    all_headers = {"Host": "bench", **headers, "Content-Length": str(len(body))}
    lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in all_headers.items())]
    return "\r\n".join((*lines, "", "")).encode() + body


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
