"""The tasks of a Kafka consumer's own: nothing begins them again once they have ended, and some end in silence."""

import asyncio
from collections.abc import Iterator
from typing import Any

from schemas.errors import Unavailable


def check(consumer: Any) -> None:
    """Unavailable where a task has ended by which a consumer that runs keeps its place in the group, or fetches.

    aiokafka ends either by an error that is none of Kafka's, as of a connection that the loop has closed. Of the first
    it tells whenever it is polled from then on; the second it only logs, and a consumer without it gets nothing ever.
    """
    for about, task in tasks_of(consumer):
        if task.done():
            error = "it was cancelled" if task.cancelled() else task.exception() or "aiokafka's log tells why"
            what = f"the Kafka consumer's own task that {about} has ended: {error}"
            raise Unavailable(what, "Kafka", "started again, the worker goes on where it was")


def tasks_of(consumer: Any) -> Iterator[tuple[str, "asyncio.Task[Any]"]]:
    """What they are for, and the tasks themselves."""
    yield "keeps its place in the group", consumer._coordinator._coordination_task  # noqa: SLF001 -- not to be had else
    yield "fetches", consumer._fetcher._fetch_task  # noqa: SLF001
