"""A worker on a real Kafka: what a producer wrote becomes states and changes."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from schemas.clients import check, stop, tasks_of
from schemas.errors import Unavailable
from schemas.settings import Settings
from schemas.topics import EVENTS, LIFECYCLE_CHANGES
from tests.integration.log import changes, until_folded, write
from tests.processes import Process, running
from tests.processors.events import at, clock, customer, event, order


def test_worker_folds_what_a_producer_wrote(deployment: Settings) -> None:
    worker = Process("worker", deployment)
    with running(worker):
        said = [clock(running=False), event("Page Viewed", at("2026-01-01")), order("1", at("2026-01-02"))]
        found = until_folded(deployment, write(deployment, said))
        assert found["user_id:ada"]["parts"]["user_id:ada"]["events"] == 2
        assert worker.end() == 0
    told = changes(deployment, LIFECYCLE_CHANGES)[customer()]
    assert [change["to"] for change in told] == ["prospect", "new"]


async def dies(*_: Any) -> None:
    raise RuntimeError("the handler is closed")


async def found_dead(client: Any, told: str) -> None:
    """Once a task of its own has ended."""
    tasks = [task for _, task in tasks_of(client) if task is not None]
    await asyncio.wait(tasks, timeout=30, return_when="FIRST_COMPLETED")
    with pytest.raises(Unavailable, match=told):
        check(client)


def test_a_consumer_whose_own_task_dies_is_found(deployment: Settings) -> None:
    async def dying(where: str, what: str) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=deployment.kafka, group_id=f"{deployment.namespace}-dying"
        )
        await consumer.start()
        try:
            check(consumer)
            vars(vars(consumer)[where])[what] = dies
            consumer.subscribe([EVENTS.name(deployment.namespace)])
            consumer._client.force_metadata_update()
            await found_dead(consumer, "the Kafka client's own task")
        finally:
            await stop(consumer)  # one that is broken stops half
            consumer._client._sync_task = None
            await consumer._client.close()

    asyncio.run(dying("_coordinator", "ensure_coordinator_known"))
    asyncio.run(dying("_fetcher", "_update_fetch_positions"))
    asyncio.run(dying("_client", "_metadata_update"))


def test_a_producer_whose_own_task_dies_is_found(deployment: Settings) -> None:
    async def dying() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=deployment.kafka)
        await producer.start()
        try:
            check(producer)
            vars(producer.client)["_metadata_update"] = dies
            producer.client.force_metadata_update()
            await found_dead(producer, "learns where the brokers are")
        finally:
            producer.client._sync_task = None
            await stop(producer)

    asyncio.run(dying())
