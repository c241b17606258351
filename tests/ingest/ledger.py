"""Senders that note which of their events were acknowledged."""

import contextlib
import http.client
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from schemas.settings import Settings
from schemas.topics import EVENTS
from tests.ingest.servers import Client, read
from tests.waiting import until


class Ledger:
    """Posts batches from four threads for as long as it runs; `acknowledged` has the messageIds that got their 200."""

    def __init__(self, settings: Settings) -> None:
        self.acknowledged: set[str] = set()
        self.statuses: set[int] = set()
        self._settings = settings
        self._stop = threading.Event()
        self._numbers = itertools.count()

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._post) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def wait_for_more(self, count: int) -> None:
        """Return when `count` more events are acknowledged."""
        goal = len(self.acknowledged) + count
        until(lambda: len(self.acknowledged) >= goal, f"{count} more are acknowledged")

    def lost(self) -> set[str]:
        """What was acknowledged and is not in the log."""
        return self.acknowledged - {orjson.loads(r.value)["message_id"] for r in read(self._settings, EVENTS)}

    def _post(self) -> None:
        client = Client(self._settings)
        while not self._stop.is_set():
            ids = [f"m-{next(self._numbers)}" for _ in range(20)]
            batch = [{"type": "track", "event": "Visit", "userId": name, "messageId": name} for name in ids]
            with contextlib.suppress(OSError, http.client.HTTPException):
                status = client.post("/v1/batch", {"batch": batch}).status
                self.statuses.add(status)
                if status == 200:
                    self.acknowledged.update(ids)
                    continue
            self._stop.wait(0.02)
