"""Stopping a Kafka client whatever Kafka does."""

import asyncio
from typing import Any

import structlog

log = structlog.get_logger()
STOP_S = 5.0


async def stop(client: Any) -> None:
    """Stop an aiokafka consumer or producer; give up on it after STOP_S.

    Where Kafka is gone, aiokafka's `stop` may hang, or raise the cancellation of a task of its own: awaited directly,
    that would look like ours.
    """
    stopping = asyncio.create_task(client.stop())
    _, late = await asyncio.wait({stopping}, timeout=STOP_S)
    if late:
        stopping.cancel()
    elif not stopping.cancelled() and stopping.exception() is not None:
        log.warning("a Kafka client stopped badly", error=repr(stopping.exception()))
