"""Whatever Kafka does instead of answering, it is told as one error; a client that stops badly ends nobody."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from ingest import answering as module
from ingest.answering import answering, stop
from schemas.errors import Unavailable
from schemas.settings import Settings
from tests.schemas.test_clients import given_up


async def refused() -> None:
    raise KafkaConnectionError


async def silent() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("ask", [given_up, refused, silent])
def test_what_is_no_answer_is_told(ask: Any) -> None:
    async def main() -> None:
        async with answering(Settings(), 0.05):
            await ask()

    with pytest.raises(Unavailable, match="Kafka does not answer"):
        asyncio.run(main())


@pytest.mark.parametrize("ask", [given_up, refused, silent])
def test_a_client_that_does_not_stop_is_left(monkeypatch: pytest.MonkeyPatch, ask: Any) -> None:
    class Client:
        async def stop(self) -> None:
            await ask()

    monkeypatch.setattr(module, "STOP_SECONDS", 0.05)
    asyncio.run(stop(Client()))
