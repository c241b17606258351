"""What was acknowledged, on disk before anybody counts on it."""

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Message = dict[str, Any]


class Ledger:
    """One line an acknowledged request: its source and its messages, as posted, in the order in which they were sent.

    `posts` counts how often each messageId went out, acknowledged or not.
    """

    def __init__(self, path: Path) -> None:
        self.count = 0
        self.posts: Counter[str] = Counter()
        self._path = path
        self._file = path.open("ab")
        self._lock = threading.Lock()

    def sending(self, messages: list[Message]) -> None:
        """Note that these go out now."""
        with self._lock:
            self.posts.update(message["messageId"] for message in messages)

    def acknowledged(self, source: str, messages: list[Message]) -> None:
        """Note that these were answered for; on return it is on disk."""
        line = json.dumps({"source": source, "messages": messages}).encode() + b"\n"
        with self._lock:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
            self.count += len(messages)

    def entries(self) -> Iterator[tuple[str, Message]]:
        """(source, message) of everything acknowledged; decimals as they were written."""
        with self._path.open("rb") as lines:
            for line in lines:
                noted = json.loads(line, parse_float=str)
                for message in noted["messages"]:
                    yield noted["source"], message

    def close(self) -> None:
        self._file.close()
