"""Senders as SDKs are: batches and single posts, sent again with the same messageIds until they are answered for."""

import contextlib
import http.client
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from schemas.settings import Settings
from tests.faults.customers import lives
from tests.faults.ledger import Ledger, Message
from tests.ingest.servers import Client

SOURCES = ("shop", "pos", "shop", "social")
"""One sender each; its customers are its own, so that their messages are in the log in the order of sending."""
BATCH = 25
PAUSE_S = 0.06
ONE_BY_ONE, AGAIN = 0.05, 0.05


class Load:
    """Posts for as long as it runs; on leaving, everything that went out has been answered for."""

    def __init__(self, settings: Settings, ledger: Ledger, seed: int) -> None:
        self.statuses: Counter[int] = Counter()
        self.wrong: list[tuple[int, Message]] = []
        self._settings, self._ledger, self._seed = settings, ledger, seed
        self._stop = threading.Event()
        self._answered = 0.0

    def answered_since(self, moment: float) -> bool:
        """Whether an event was acknowledged after this moment of the monotonic clock."""
        return self._answered > moment

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._send, args=each) for each in enumerate(SOURCES)]
        for thread in threads:
            thread.start()
        try:
            yield
        except BaseException:
            self._seed = -1  # nobody will answer
            raise
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _send(self, number: int, source: str) -> None:
        dice = random.Random(f"{self._seed}-{number}")
        client = Client(self._settings, f"local-{source}-write-key")
        messages = lives(dice, f"s{number}")
        while not self._stop.wait(PAUSE_S):
            batch = list(itertools.islice(messages, BATCH))
            if dice.random() < ONE_BY_ONE:
                for message in batch:
                    self._single(client, source, message)
            else:
                self._post(client, source, "/v1/batch", {"batch": batch}, batch)
                if dice.random() < AGAIN:  # the answer was lost on the way
                    self._post(client, source, "/v1/batch", {"batch": batch}, [])

    def _single(self, client: Client, source: str, message: Message) -> None:
        if message["type"] in ("track", "identify", "page"):
            self._post(client, source, f"/v1/{message['type']}", message, [message])
        else:  # there is no such route
            self._post(client, source, "/v1/batch", {"batch": [message]}, [message])

    def _post(self, client: Client, source: str, path: str, body: Message, messages: list[Message]) -> None:
        """Until it is answered for: with 200, or with 400 where a single message is a bad one."""
        sent = body.get("batch", [body])
        while self._seed != -1:
            self._ledger.sending(sent)
            with contextlib.suppress(OSError, http.client.HTTPException):
                status = client.post(path, body).status
                self.statuses[status] += 1
                if status == 200 or (status == 400 and body.get("messageId", "").startswith("bad")):
                    self._ledger.acknowledged(source, messages)
                    self._answered = time.monotonic()
                    return
                if status != 429 and status < 500:
                    self.wrong.append((status, body))
                    return
            threading.Event().wait(0.2)
