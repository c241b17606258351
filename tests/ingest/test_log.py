"""What the way into the log does with a producer that never comes back; real brokers: `test_faults`."""

import asyncio
from typing import Any

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder

from ingest import log as module
from ingest.accept import Accepted, Refused
from ingest.log import Log
from schemas.errors import Unavailable
from schemas.rejected import Reason, Rejection
from schemas.settings import Settings

ONE = Accepted([], [Refused(Rejection(Reason.MALFORMED, "synthetic", b"{"))])


class Producer:
    """Acknowledges what it is given, or says nothing for ever."""

    def __init__(self, *, deaf: bool) -> None:
        self.deaf = deaf

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(1_000, 0)

    async def send_batch(self, *_: Any, **__: Any) -> "asyncio.Future[None]":
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not self.deaf:
            future.set_result(None)
        return future

    async def stop(self) -> None:
        if self.deaf:
            await asyncio.Event().wait()


def test_a_producer_that_holds_a_batch_for_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Producer] = []

    async def producer(_: Settings) -> Any:
        made.append(Producer(deaf=not made))
        return made[-1]

    async def main() -> None:
        log = Log(Settings())
        await log.start()
        with pytest.raises(Unavailable):
            await log.write(ONE, "shop", 0)
        async with asyncio.timeout(10):
            while len(made) < 2 or not log.healthy:  # noqa: ASYNC110 -- nothing tells of it
                await asyncio.sleep(0.01)
        await log.write(ONE, "shop", 0)
        await log.stop()

    for name, seconds in {"LEFT": 0.2, "WATCH_SECONDS": 0.02}.items():
        monkeypatch.setattr(module, name, seconds)
    monkeypatch.setattr("ingest.answering.STOP_SECONDS", 0.1)
    monkeypatch.setattr(module, "_producer", producer)
    asyncio.run(main())
    assert [each.deaf for each in made] == [True, False]
