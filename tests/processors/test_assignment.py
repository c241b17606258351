"""What this worker does with a partition whose Kafka client says nothing any more; real brokers: `tests/faults`."""

import asyncio
from typing import Any, cast

import pytest

from processors import assignment as module
from processors import partition as partitions
from processors.assignment import Assignment
from processors.partition import Partition
from schemas.settings import Settings


class Mute:
    """A producer whose background task has died."""

    async def begin_transaction(self) -> None:
        await asyncio.Event().wait()


class Opened(Partition):
    """A partition that is open without Kafka, and wants a tick."""

    async def open(self) -> None:
        self.producer = cast("Any", Mute())
        self.position["running"] = True

    async def close(self) -> None:
        pass


class Consumer:
    """Goes where it is told."""

    def seek(self, *_: Any) -> None:
        pass

    resume = pause = seek


def test_a_partition_whose_transaction_never_ends_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Opened] = []

    def opens(*given: Any) -> Opened:
        opened.append(Opened(*given))
        return opened[-1]

    async def main() -> None:
        assignment = Assignment(Settings(), cast("Any", None))
        assignment.consumer = Consumer()
        tenure = asyncio.create_task(assignment._hold(0))  # as on_partitions_assigned does
        assignment._tenures[0] = tenure
        async with asyncio.timeout(10):
            while len(opened) < 2:
                assignment.tick(60_000)
                await asyncio.sleep(0.01)
        assert not assignment.failed.done()
        await assignment._close(0)

    monkeypatch.setattr(module, "Partition", opens)
    monkeypatch.setattr(partitions, "TRANSACTION_S", 0.05)
    asyncio.run(main())
