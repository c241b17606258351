"""Posting to ingest on a fixed schedule, whatever the answers take."""

import http.client
import threading
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator
from itertools import islice

import orjson

from bench.synthetic import Record
from schemas.settings import Settings

CONNECTIONS = 8
AUTHORIZATION = {"Authorization": "Basic " + b64encode(b"local-shop-write-key:").decode()}


class Posting(threading.Thread):
    """One connection's share of a schedule: its bodies by number, each due at `number / rate` seconds.

    `begun[n]` is when the n-th was about to be sent, `late` how far behind its schedule it fell, `failure` what
    ended it: a broken connection, an answer other than success.
    """

    def __init__(
        self,
        settings: Settings,
        path: str,
        bodies: Iterable[tuple[int, bytes]],
        rate: float,
        stop: threading.Event,
    ) -> None:
        super().__init__(name=f"posting {path}")
        self._settings, self._path, self._bodies = settings, path, bodies
        self._rate, self._stopping = rate, stop
        self.begun: dict[int, float] = {}
        self.late = 0.0
        self.failure: str | None = None

    def run(self) -> None:
        """Post until all are sent or `stop` is set."""
        connection = http.client.HTTPConnection(
            self._settings.ingest_host, self._settings.ingest_port, timeout=30
        )
        start = time.monotonic()
        try:
            for number, body in self._bodies:
                due = start + number / self._rate
                if self._stopping.wait(max(0.0, due - time.monotonic())):
                    return
                self.begun[number] = now = time.monotonic()
                self.late = max(self.late, now - due)
                connection.request("POST", self._path, body, AUTHORIZATION)
                answer = connection.getresponse()
                if b"true" not in answer.read():
                    self.failure = f"{self._path} was answered {answer.status}"
                    return
        except OSError as error:
            self.failure = f"{self._path}: {error!r}"
        finally:
            connection.close()


def postings(
    settings: Settings, path: str, bodies: Iterable[bytes], rate: float, stop: threading.Event
) -> list[Posting]:
    """CONNECTIONS threads that post bodies to a path, `rate` a second together; not started."""
    numbered = list(enumerate(bodies))
    return [Posting(settings, path, numbered[n::CONNECTIONS], rate, stop) for n in range(CONNECTIONS)]


def batches(records: Iterator[Record], size: int) -> Iterator[bytes]:
    """Bodies of /v1/batch that state these events, as an SDK would; they happen when they arrive."""
    while batch := [_message(record) for record in islice(records, size)]:
        yield orjson.dumps({"batch": batch})


def _message(record: Record) -> dict[str, object]:
    event = orjson.loads(record.value)
    ids = event["identifiers"]
    message = {field: event[field] for field in ("type", "properties", "traits", "context")}
    named = {"event": event["name"]} if event["type"] == "track" else {}
    known = {"userId": ids["user_id"][0]} if "user_id" in ids else {}
    seen = {"anonymousId": ids["anonymous_id"][0]} if "anonymous_id" in ids else {}
    return {**message, **named, **known, **seen, "messageId": event["message_id"]}
