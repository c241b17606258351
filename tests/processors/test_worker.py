"""The worker ends at once when a task of the Kafka consumer's own has ended."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from processors.worker import _poll_service
from schemas.clients import check
from schemas.errors import Unavailable


async def never() -> None:
    await asyncio.Event().wait()


async def dies() -> None:
    raise KafkaError("Unexpected error during coordination RuntimeError('the handler is closed')")


Task = asyncio.Task[None]


class Assignment:
    """One whose consumer has these tasks, and tells the same error whenever it is polled."""

    def __init__(self, coordination: Task, fetch: Task, learn: Task) -> None:
        self.consumer = SimpleNamespace(
            _coordinator=SimpleNamespace(_coordination_task=coordination),
            _fetcher=SimpleNamespace(_fetch_task=fetch),
            _client=SimpleNamespace(_sync_task=learn),
        )
        self.polls = 0
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def poll(self, *_: int) -> list[Any]:
        self.polls += 1
        await asyncio.sleep(0)
        raise KafkaError("told again")

    def fail(self, error: BaseException) -> None:
        self.failed.set_result(error)


async def ends_of(*works: Any) -> tuple[BaseException, int]:
    """What ended polling, and how often it was polled."""
    tasks = [asyncio.create_task(work) for work in works]
    assignment = Assignment(*tasks)
    service = _poll_service(assignment, None)  # type: ignore[arg-type]
    polling = asyncio.create_task(service._poll.fun(SimpleNamespace(should_stop=False)))  # type: ignore[attr-defined]
    try:
        return await asyncio.wait_for(assignment.failed, 10), assignment.polls
    finally:
        for task in (*tasks, polling):
            task.cancel()
        await asyncio.gather(*tasks, polling, return_exceptions=True)


@pytest.mark.parametrize(
    ("works", "about"),
    [
        ((dies, never, never), "keeps its place in the group"),
        ((never, dies, never), "fetches"),
        ((never, never, dies), "learns where the brokers are"),
    ],
)
def test_it_ends_with_the_first_poll_after_the_task_has_ended(works: Any, about: str) -> None:
    error, polls = asyncio.run(ends_of(*(work() for work in works)))
    assert isinstance(error, Unavailable)
    assert about in str(error)
    assert "the handler is closed" in str(error)
    assert polls <= 1


def test_while_they_run_nothing_is_said() -> None:
    async def checked() -> None:
        tasks = [asyncio.create_task(never()) for _ in range(3)]
        check(Assignment(*tasks).consumer)
        tasks[1].cancel()
        await asyncio.wait(tasks, timeout=0.01, return_when=asyncio.FIRST_COMPLETED)
        with pytest.raises(Unavailable, match="fetches has ended: it was cancelled"):
            check(Assignment(*tasks).consumer)
        for task in tasks:
            task.cancel()

    asyncio.run(checked())
