"""Lanes: what is on its way to the log, a lane a partition. `ingest.log` does the sending.

A lane has one batch in flight, and what arrives meanwhile fills the next: the busier, the larger the batches,
and no waiting. A request has one receipt for all its records, done when every batch that holds one of them
is.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from aiokafka.producer.message_accumulator import BatchBuilder

Record = tuple[bytes, bytes, list[tuple[str, bytes]]]
"""Key, value and headers."""


class Receipt:
    """One request's acknowledgement: `future` is done when the log has all its records, or fails."""

    __slots__ = ("due", "future", "waiting")

    def __init__(self, future: asyncio.Future[None], due: float) -> None:
        self.future, self.due, self.waiting = future, due, 0

    def acknowledge(self) -> None:
        """One of its batches is in the log."""
        self.waiting -= 1
        if not self.waiting and not self.future.done():
            self.future.set_result(None)

    def fail(self, error: Exception) -> None:
        """One of its batches is not in the log, or nobody knows."""
        if not self.future.done():
            self.future.set_exception(error)


class Batch:
    """Records that travel together, and the receipts that wait for them."""

    __slots__ = ("builder", "receipts", "size")

    def __init__(self, builder: BatchBuilder) -> None:
        self.builder, self.size = builder, 0
        self.receipts: list[Receipt] = []

    def await_by(self, receipt: Receipt) -> None:
        """Let a receipt wait for this batch."""
        self.receipts.append(receipt)
        receipt.waiting += 1


class Lane:
    """One partition: batches that wait, and the one in flight with the time when it left."""

    __slots__ = ("create", "flying", "partition", "since", "topic", "waiting")

    def __init__(self, topic: str, partition: int, create: Callable[[], BatchBuilder]) -> None:
        self.topic, self.partition, self.create = topic, partition, create
        self.waiting: deque[Batch] = deque()
        self.flying: Batch | None = None
        self.since = 0.0

    def add(self, receipt: Receipt, timestamp: int, records: list[Record]) -> None:
        """Put a request's records into the batch that is being filled, and into a next one where it is full."""
        batch = self.waiting[-1] if self.waiting else self._open()
        batch.await_by(receipt)
        append = batch.builder.append
        for key, value, headers in records:
            if append(timestamp=timestamp, key=key, value=value, headers=headers) is None:  # full
                batch = self._open()
                batch.await_by(receipt)
                append = batch.builder.append
                append(timestamp=timestamp, key=key, value=value, headers=headers)
            batch.size += len(value)

    def depart(self, now: float) -> Batch:
        """The next batch, now in flight."""
        self.flying, self.since = self.waiting.popleft(), now
        return self.flying

    def late(self, now: float, patience: float) -> bool:
        """Whether the batch in flight is not acknowledged for longer than `patience` seconds."""
        return self.flying is not None and now - self.since > patience

    def _open(self) -> Batch:
        self.waiting.append(Batch(self.create()))
        return self.waiting[-1]
