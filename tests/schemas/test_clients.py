"""What a client does unasked is seen as what it is; the tasks of a consumer's own are tried in `test_worker`."""

import asyncio

import pytest

from schemas.clients import within


async def given_up() -> None:
    """As aiokafka's consumer does that is stopped while it fetches."""
    task = asyncio.create_task(asyncio.Event().wait())
    await asyncio.sleep(0)
    task.cancel()
    await task


async def main(seconds: float | None) -> None:
    async with within(seconds):
        await given_up()


@pytest.mark.parametrize("seconds", [5.0, None])
def test_a_cancellation_that_nobody_asked_for_is_an_error(seconds: float | None) -> None:
    with pytest.raises(ConnectionAbortedError):
        asyncio.run(main(seconds))


def test_what_takes_too_long_is_told() -> None:
    async def wait() -> None:
        async with within(0.01):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        asyncio.run(wait())


def test_who_is_cancelled_is_cancelled() -> None:
    async def wait() -> None:
        async with within(60):
            await asyncio.Event().wait()

    async def cancelled() -> bool:
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait((task,))
        return task.cancelled()

    assert asyncio.run(cancelled())
