"""What the way into the log does with a producer that never comes back; real brokers: `test_faults`."""

import asyncio
from types import SimpleNamespace
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
        self.client = SimpleNamespace(_sync_task=None)
        self._sender = SimpleNamespace(sender_task=None)

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


@pytest.mark.parametrize("dead", [True, False])
def test_a_producer_that_nothing_leaves_any_more_is_given_up(
    monkeypatch: pytest.MonkeyPatch, *, dead: bool
) -> None:
    """Its own task has ended, or it holds a batch for too long, whatever it waits for."""
    made: list[Producer] = []

    async def producer(_: Settings) -> Any:
        made.append(Producer(deaf=not made))
        return made[-1]

    async def main() -> None:
        log = Log(Settings())
        await log.start()
        if dead:
            made[0].client._sync_task = asyncio.create_task(asyncio.sleep(0))
        with pytest.raises(Unavailable):
            await log.write(ONE, "shop", 0)
        async with asyncio.timeout(10):
            while len(made) < 2 or not log.healthy:  # noqa: ASYNC110 -- nothing tells of it
                await asyncio.sleep(0.01)
        await log.write(ONE, "shop", 0)
        await log.stop()

    for name, seconds in {"LEFT": 60 if dead else 0.2, "WATCH_SECONDS": 0.02}.items():
        monkeypatch.setattr(module, name, seconds)
    monkeypatch.setattr("schemas.clients.STOP_S", 0.1)
    monkeypatch.setattr(module, "_producer", producer)
    asyncio.run(main())
    assert [each.deaf for each in made] == [True, False]
