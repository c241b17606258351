"""Which partitions this worker owns: the consumer group, opening and closing partitions, recovering from faults.

A partition is opened in the background when it is given to us, and opened again after any fault of its transaction,
whose outcome is then unknown: nothing that was folded for it is kept, the changelog tells. Errors of the deployment
itself (CdpError, a newer state format) end the worker.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, Self

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError

from processors.definitions_log import Library
from processors.partition import Partition
from processors.records import LogRecord
from schemas.errors import CdpError
from schemas.settings import Settings
from schemas.state import NewerFormat
from schemas.topics import COMMANDS, EVENTS

log = structlog.get_logger()
FATAL = (CdpError, NewerFormat)
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 10.0
Polled = tuple[Partition, str, list[LogRecord]]


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]
    """The partitions of this worker, by number, and the consumer that reads them."""

    def __init__(self, settings: Settings, library: Library) -> None:
        self.settings, self.library = settings, library
        self.partitions: dict[int, Partition] = {}
        self._tasks: dict[int, set[asyncio.Task[None]]] = {}
        self._openings: dict[int, asyncio.Task[None]] = {}
        self._failure: BaseException | None = None

    async def __aenter__(self) -> Self:
        self.consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.kafka,
            group_id=f"{self.settings.namespace}-fold",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            # the default, round robin, may put events and commands of one partition on different workers
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=10_000,
            heartbeat_interval_ms=1_000,
        )
        await self.consumer.start()
        topics = [topic.name(self.settings.namespace) for topic in (EVENTS, COMMANDS)]
        self.consumer.subscribe(topics, listener=self)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.on_partitions_revoked(self.consumer.assignment())
        await self.consumer.stop()

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Open what we were given, in the background; until then nothing of it is polled."""
        events, commands = (
            {p for t, p in assigned if t == n.name(self.settings.namespace)} for n in (EVENTS, COMMANDS)
        )
        if events != commands:
            self._fail(
                RuntimeError(f"events of {events} and commands of {commands} were given to one worker")
            )
            return
        log.info("partitions assigned", partitions=sorted(events))
        for number in events:
            self.consumer.pause(*self._topics(number))
            self._openings[number] = asyncio.create_task(self._open(number))

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """Finish the turns under way and let go."""
        numbers = {partition for _, partition in revoked}
        await asyncio.gather(*(self._close(number) for number in numbers))

    def run(self, partition: Partition, work: Coroutine[Any, Any, None]) -> None:
        """Let work on a partition go on beside other partitions' work; a fault opens the partition again."""
        number = partition.number
        if self.partitions.get(number) is not partition:
            work.close()
            return
        task = asyncio.create_task(self._guard(partition, work))
        self._tasks.setdefault(number, set()).add(task)
        task.add_done_callback(self._tasks[number].discard)

    async def poll(self, most: int, timeout_ms: int) -> list[Polled]:
        """What arrived for partitions with no work under way, at most `most` records."""
        idle = [number for number in self.partitions if not self._tasks.get(number)]
        if not idle:
            busy = {task for tasks in (*self._tasks.values(), self._openings.values()) for task in tasks}
            await asyncio.wait(busy or {asyncio.create_task(asyncio.sleep(timeout_ms / 1000))},
                               timeout=timeout_ms / 1000, return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
            return []
        wanted = [topic for number in idle for topic in self._topics(number)]
        try:
            got = await self.consumer.getmany(*wanted, timeout_ms=timeout_ms, max_records=most)
        except IllegalStateError:  # revoked meanwhile
            return []
        return [
            (self.partitions[source.partition], source.topic, records)
            for source, records in got.items()
            if source.partition in self.partitions and records
        ]

    def tick(self, at: int) -> None:
        """Let every partition whose clock runs, and has not been there, write a tick."""
        for partition in list(self.partitions.values()):
            if partition.wants_tick(at):
                self.run(partition, partition.tick(at))

    async def commit_offsets(self) -> None:
        """Tell the group how far we are, for the usual tools that show lag; nothing of ours reads it."""
        offsets = {}
        for number, partition in self.partitions.items():
            events, commands = self._topics(number)
            offsets[events], offsets[commands] = partition.position["events"], partition.position["commands"]
        if offsets:
            with contextlib.suppress(KafkaError):
                await self.consumer.commit(offsets)

    def raise_failure(self) -> None:
        """Raise what ended the worker, if anything did."""
        if self._failure is not None:
            raise self._failure

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error

    def _topics(self, number: int) -> tuple[TopicPartition, TopicPartition]:
        namespace = self.settings.namespace
        return TopicPartition(EVENTS.name(namespace), number), TopicPartition(
            COMMANDS.name(namespace), number
        )

    async def _guard(self, partition: Partition, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except FATAL as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 -- whatever it was, the outcome is unknown: as after a crash
            if self.partitions.pop(partition.number, None) is partition:
                log.warning(
                    "transaction failed, opening again", partition=partition.number, error=repr(error)
                )
                await partition.abandon()
                self._openings[partition.number] = asyncio.create_task(self._open(partition.number))

    async def _open(self, number: int) -> None:
        wait, said = FIRST_WAIT_S, False
        while True:
            partition = Partition(number, self.settings, self.library)
            try:
                await partition.open()
                break
            except FATAL as error:
                self._fail(error)
                return
            except (TimeoutError, KafkaError, OSError) as error:
                if not said:
                    log.warning("partition cannot be opened yet", partition=number, error=repr(error))
                said, wait = True, min(wait * 2, LONGEST_WAIT_S)
                await asyncio.sleep(wait)
            except Exception as error:  # noqa: BLE001 -- a defect: told by the worker's end, not by a lost task
                self._fail(error)
                return
        events, commands = self._topics(number)
        self.consumer.seek(events, partition.position["events"])
        self.consumer.seek(commands, partition.position["commands"])
        self.consumer.resume(events, commands)
        self.partitions[number] = partition
        log.info("partition open", partition=number, offset=partition.position["events"])

    async def _close(self, number: int) -> None:
        opening = self._openings.pop(number, None)
        if opening is not None and not opening.done():
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
        partition = self.partitions.pop(number, None)
        if partition is not None:
            await asyncio.gather(*self._tasks.get(number, ()), return_exceptions=True)
            await partition.close()
