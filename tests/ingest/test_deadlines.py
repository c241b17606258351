import asyncio

import pytest

from ingest.deadlines import Deadlines

LIMIT = 0.05


async def taking(deadlines: Deadlines, until: asyncio.Event) -> str:
    """How a task ends that waits for something."""
    task = deadlines.begin()
    try:
        await until.wait()
    except asyncio.CancelledError:
        return "cancelled" if deadlines.end(task) else "late"
    return "in time" if deadlines.end(task) else "late"


def test_each_task_has_its_own_time_on_one_timer() -> None:
    async def run() -> list[str]:
        deadlines, at_once, never = Deadlines(LIMIT), asyncio.Event(), asyncio.Event()
        at_once.set()
        async with asyncio.timeout(10):
            together = await asyncio.gather(*(taking(deadlines, event) for event in (never, at_once, never)))
            after_all_others = await asyncio.create_task(taking(deadlines, never))
        return [*together, after_all_others]

    assert asyncio.run(run()) == ["late", "in time", "late", "late"]


def test_a_later_task_is_not_ended_with_an_earlier_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> tuple[str, bool]:
        deadlines, never = Deadlines(LIMIT), asyncio.Event()
        monkeypatch.setattr("ingest.deadlines.time.monotonic", lambda: 1_000.0)
        earlier = asyncio.create_task(taking(deadlines, never))
        await asyncio.sleep(0)
        monkeypatch.setattr("ingest.deadlines.time.monotonic", lambda: 1_000.0 + LIMIT)
        later = asyncio.create_task(taking(deadlines, never))
        await asyncio.sleep(0)
        async with asyncio.timeout(10):
            ended = await earlier, later.done()
        later.cancel()
        await later
        return ended

    assert asyncio.run(run()) == ("late", False)


@pytest.mark.parametrize("others", [0, 1])
def test_who_is_cancelled_by_others_is_not_late(others: int) -> None:
    async def run() -> str:
        deadlines = Deadlines(60)
        rest = [asyncio.create_task(taking(deadlines, asyncio.Event())) for _ in range(others)]
        task = asyncio.create_task(taking(deadlines, asyncio.Event()))
        await asyncio.sleep(0)
        task.cancel()
        for other in rest:
            other.cancel()
        return await task

    assert asyncio.run(run()) == "cancelled"
