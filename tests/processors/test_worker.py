"""The worker ends at once when a task of the Kafka consumer's own has ended."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from processors.watching import check
from processors.worker import _poll_service
from schemas.errors import Unavailable


async def never() -> None:
    await asyncio.Event().wait()


async def dies() -> None:
    raise KafkaError("Unexpected error during coordination RuntimeError('the handler is closed')")


class Assignment:
    """One whose consumer has these tasks, and tells the same error whenever it is polled."""

    def __init__(self, coordination: "asyncio.Task[None]", fetch: "asyncio.Task[None]") -> None:
        self.consumer = SimpleNamespace(
            _coordinator=SimpleNamespace(_coordination_task=coordination),
            _fetcher=SimpleNamespace(_fetch_task=fetch),
        )
        self.polls = 0
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def poll(self, *_: int) -> list[Any]:
        self.polls += 1
        await asyncio.sleep(0)
        raise KafkaError("told again")

    def fail(self, error: BaseException) -> None:
        self.failed.set_result(error)


async def ends_of(coordination: Any, fetch: Any) -> tuple[BaseException, int]:
    """What ended polling, and how often it was polled."""
    tasks = [asyncio.create_task(work) for work in (coordination, fetch)]
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
    ("coordination", "fetch", "about"),
    [(dies, never, "keeps its place in the group"), (never, dies, "fetches")],
)
def test_it_ends_with_the_first_poll_after_the_task_has_ended(
    coordination: Any, fetch: Any, about: str
) -> None:
    error, polls = asyncio.run(ends_of(coordination(), fetch()))
    assert isinstance(error, Unavailable)
    assert about in str(error)
    assert "the handler is closed" in str(error)
    assert polls <= 1


def test_while_they_run_nothing_is_said() -> None:
    async def checked() -> None:
        tasks = [asyncio.create_task(never()) for _ in range(2)]
        check(Assignment(*tasks).consumer)
        tasks[1].cancel()
        await asyncio.wait(tasks, timeout=0.01, return_when=asyncio.FIRST_COMPLETED)
        with pytest.raises(Unavailable, match="fetches has ended: it was cancelled"):
            check(Assignment(*tasks).consumer)
        tasks[0].cancel()

    asyncio.run(checked())
