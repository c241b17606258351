"""Whatever Kafka does instead of answering, it is told as one error; a client that stops badly ends nobody."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from ingest.answering import answering
from schemas.clients import stop
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


async def dead() -> None:
    """As a client does whose own task ended with what uvloop raises."""
    raise RuntimeError("the handler is closed")


@pytest.mark.parametrize("ask", [given_up, refused, silent, dead])
def test_a_client_that_does_not_stop_is_left(monkeypatch: pytest.MonkeyPatch, ask: Any) -> None:
    class Client:
        async def stop(self) -> None:
            await ask()

    monkeypatch.setattr("schemas.clients.STOP_S", 0.05)
    asyncio.run(stop(Client()))
