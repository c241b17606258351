"""Which partitions this worker owns: the consumer group, opening and closing partitions, recovering from faults.

A partition that is given to us has one task, its tenure, until it is taken away. The tenure opens it, and opens it
again after any fault of a transaction, whose outcome is then unknown: nothing that was folded for it is kept, the
changelog tells. What no reopening can mend (CdpError, a newer state format, a defect) ends the worker.
"""

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from typing import Any, Self

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalOperation, IllegalStateError, KafkaError, ProducerFenced
from kafka import TopicPartition as Place
from kafka.errors import KafkaError as AdminError

from processors.chunk import Chunk
from processors.consumed import Consumed
from processors.definitions_log import Library
from processors.partition import Partition
from processors.records import LogRecord
from schemas.clients import stop, within
from schemas.settings import Settings
from schemas.topics import COMMANDS, EVENTS, fold_group

log = structlog.get_logger()
FENCED = (ProducerFenced, IllegalOperation)
"""aiokafka calls it illegal to send with a producer that it found fenced since the transaction began."""
FAULTS = (KafkaError, AdminError, OSError, *FENCED)
"""What reopening may mend; a timeout is an OSError."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 10.0
FENCED_WAIT_S = 3.0
"""A worker that was fenced has, as a rule, lost the partition and learns so with its next heartbeat: until then it must
not fence the new owner in turn."""
START_S = 30.0
COMMIT_S = 10.0
LEAVE_S = 12.0
"""For the turns under way when a partition is taken away: more than a transaction may take."""
FETCH_BYTES = 2 * 1024 * 1024
"""Of all partitions together, as compressed in the log."""
CHUNK_BYTES = 8 * 1024 * 1024
"""What a chunk should take: a log of new customers, or of large states, takes smaller chunks than one of known ones."""
CHUNK_S = 0.4
"""CPU seconds that a chunk should take: while it is folded nothing else runs, no heartbeat either."""
IN_FLIGHT_BYTES = 10 * 1024 * 1024
"""No chunk is begun while those of all partitions take more: what they become is held until it is committed."""
HAND_OVER_S = 0.001
"""Until what was polled has become a task."""
Polled = tuple[Partition, Chunk]


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]
    """The open partitions of this worker, by number, and the consumer that reads them."""

    def __init__(self, settings: Settings, library: Library) -> None:
        self.settings, self.library = settings, library
        self.partitions: dict[int, Partition] = {}
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tenures: dict[int, asyncio.Task[None]] = {}
        self._tasks: dict[int, set[asyncio.Task[None]]] = {}
        self._sizes: dict[int, int] = {}  # records that were polled of each partition and are not committed
        self._consumed = Consumed(settings.kafka)
        self._leaving = False

    async def __aenter__(self) -> Self:
        self.consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.kafka,
            group_id=fold_group(self.settings.namespace),
            group_instance_id=self.settings.instance or None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_bytes=FETCH_BYTES,
            # the default, round robin, may put events and commands of one partition on different workers
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=6_000,  # the least that brokers take: a killed worker is replaced after it
            heartbeat_interval_ms=1_000,
        )
        try:
            async with within(START_S):
                await self.consumer.start()
        except BaseException:
            await stop(self.consumer)
            raise
        topics = [topic.name(self.settings.namespace) for topic in (EVENTS, COMMANDS)]
        self.consumer.subscribe(topics, listener=self)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leaving = True
        await self._close(*self._tenures)
        await stop(self.consumer)
        self.failed.cancel()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Open what we were given, in the background; until then nothing of it is polled."""
        events, commands = (
            {p for t, p in assigned if t == n.name(self.settings.namespace)} for n in (EVENTS, COMMANDS)
        )
        if events != commands:
            self.fail(RuntimeError(f"events of {events} and commands of {commands} were given to one worker"))
        elif not self._leaving:
            log.info("partitions assigned", partitions=sorted(events))
            self.consumer.pause(*assigned)
            for number in events:
                self._tenures[number] = asyncio.create_task(self._hold(number))

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Finish the turns under way and let go."""
        await self._close(*{partition for _, partition in revoked})

    def run(self, partition: Partition, work: Coroutine[Any, Any, None]) -> None:
        """Let work on a partition go on beside other partitions' work; a fault opens the partition again."""
        if self.partitions.get(partition.number) is not partition:
            work.close()
            self._sizes.pop(partition.number, None)
            return
        tasks = self._tasks.setdefault(partition.number, set())
        task = asyncio.create_task(self._guard(partition, work))
        tasks.add(task)

        def done(_: object) -> None:
            tasks.discard(task)
            if not tasks:
                self._sizes.pop(partition.number, None)

        task.add_done_callback(done)

    async def poll(self, most: int, timeout_ms: int) -> list[Polled]:
        """What arrived of both logs of partitions with no work under way, at most `most` records of each log."""
        idle = [n for n in self.partitions if not (self._tasks.get(n) or n in self._sizes)]
        if not idle or self._under_way() >= IN_FLIGHT_BYTES:
            busy = {task for tasks in self._tasks.values() for task in tasks}
            if busy:
                await asyncio.wait(busy, timeout=timeout_ms / 1000, return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(HAND_OVER_S if self._sizes else timeout_ms / 1000)
            return []
        wanted = [topic for number in idle for topic in self._readable(number)]
        try:
            got = await self._getmany(wanted, min(most, self._aim()), timeout_ms)
        except IllegalStateError:  # revoked meanwhile
            return []
        chunks = {n: Chunk(*(got.get(topic, ()) for topic in self._topics(n))) for n in idle}
        polled = [
            (self.partitions[n], chunk) for n, chunk in chunks.items() if chunk.size and n in self.partitions
        ]
        self._sizes |= {partition.number: chunk.size for partition, chunk in polled}
        return polled

    async def _getmany(
        self, wanted: list[TopicPartition], most: int, timeout_ms: int
    ) -> dict[TopicPartition, list[LogRecord]]:
        """At most so many records, but the last partition's in full: what is cut makes a chunk too small to pay."""
        got: dict[TopicPartition, list[LogRecord]] = await self.consumer.getmany(
            *wanted, timeout_ms=timeout_ms, max_records=most
        )
        if len(got) > 1 and sum(map(len, got.values())) >= most:
            last = next(reversed(got))
            with contextlib.suppress(KafkaError, OSError):  # comes again, and what was got must not be lost
                rest = await self.consumer.getmany(last, timeout_ms=0, max_records=most)
                got[last] = [*got[last], *rest.get(last, ())]
        return got

    def _under_way(self) -> int:
        """Bytes of the chunks that are being folded and committed, about."""
        return sum(
            size * self.partitions[number].weight
            for number, size in self._sizes.items()
            if number in self.partitions
        )

    def _aim(self) -> int:
        """Records of a chunk of CHUNK_BYTES and CHUNK_S at most, as the last chunks were; at least one."""
        weight = max((partition.weight for partition in self.partitions.values()), default=1)
        pace = max((partition.pace for partition in self.partitions.values()), default=0.0)
        return max(1, min(CHUNK_BYTES // weight, int(CHUNK_S / max(pace, 1e-6))))

    def tick(self, at: int) -> None:
        """Let every partition whose clock runs, and has not been there, write a tick."""
        for partition in list(self.partitions.values()):
            if partition.wants_tick(at):
                self.run(partition, partition.tick(at))

    async def commit_offsets(self) -> None:
        """Tell the group how far we are, for the usual tools that show lag, and for who publishes definitions.

        The metadata of the commands' offset tells how many backfill commands of which model are dealt with.
        """
        offsets: dict[TopicPartition, tuple[int, str]] = {}
        for number, partition in self.partitions.items():
            events, commands = self._topics(number)
            position = partition.position
            offsets[events] = position["events"], ""
            told = " ".join(str(word) for word in position.get("backfilled", ()))
            offsets[commands] = position["commands"], told
        if offsets:
            with contextlib.suppress(*FAULTS):
                async with within(COMMIT_S):
                    await self.consumer.commit(offsets)

    async def delete_consumed(self) -> None:
        """Delete commands that are folded and committed, of the partitions that we own."""
        at = {Place(*self._topics(n)[1]): p.position["commands"] for n, p in self.partitions.items()}
        try:
            await asyncio.to_thread(self._consumed.delete, at)
        except FAULTS as error:
            log.warning("folded commands cannot be deleted, trying again later", error=repr(error))

    def fail(self, error: BaseException) -> None:
        """End the worker with this error, if nothing did before."""
        if not self.failed.done():
            self.failed.set_exception(error)

    def _readable(self, number: int) -> tuple[TopicPartition, ...]:
        """Where a partition reads on: commands only once its events have told which definitions are in force."""
        events, commands = self._topics(number)
        return (events, commands) if self.partitions[number].position["in_force"] else (events,)

    def _topics(self, number: int) -> tuple[TopicPartition, TopicPartition]:
        namespace = self.settings.namespace
        return TopicPartition(EVENTS.name(namespace), number), TopicPartition(
            COMMANDS.name(namespace), number
        )

    async def _guard(self, partition: Partition, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (*FAULTS, asyncio.CancelledError) as error:  # cancelled by us, the partition is closed anyway
            if not partition.fault.done():
                partition.fault.set_result(error)
        except Exception as error:  # noqa: BLE001 -- a lost task would swallow it
            self.fail(error)

    async def _hold(self, number: int) -> None:
        """The tenure of a partition; cancelled when that is taken away."""
        wait = FIRST_WAIT_S
        try:
            while True:
                partition = await self._open(number)
                opened = time.monotonic()
                try:
                    self._sizes.pop(number, None)
                    self.partitions[number] = partition
                    fault = await partition.fault
                    log.warning("transaction failed, opening again", partition=number, error=repr(fault))
                finally:
                    self.partitions.pop(number)
                    await _undisturbed(self._let_go(partition))
                wait = FIRST_WAIT_S if time.monotonic() - opened > LONGEST_WAIT_S else _longer(wait)
                await asyncio.sleep(FENCED_WAIT_S if isinstance(fault, FENCED) else wait)
        except asyncio.CancelledError:
            if number in self._tenures:  # not by us: `_close` takes it out first
                self.fail(RuntimeError(f"the tenure of partition {number} was cancelled by a client"))
            raise
        except Exception as error:  # noqa: BLE001 -- a lost task would swallow it
            self.fail(error)

    async def _open(self, number: int) -> Partition:
        """The partition, once it could be opened, with the consumer at its position."""
        wait, said = FIRST_WAIT_S, False
        while True:
            partition = Partition(number, self.settings, self.library)
            try:
                await partition.open()
                break
            except FAULTS as error:
                if not said:
                    log.warning("partition cannot be opened yet", partition=number, error=repr(error))
                said, wait = True, _longer(wait)
                await asyncio.sleep(wait)
        events, commands = self._topics(number)
        self.consumer.seek(events, partition.position["events"])
        self.consumer.seek(commands, partition.position["commands"])
        self.consumer.resume(events, commands)
        log.info("partition open", partition=number, offset=partition.position["events"])
        return partition

    async def _let_go(self, partition: Partition) -> None:
        tasks = self._tasks.pop(partition.number, set())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=LEAVE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await partition.close()

    async def _close(self, *numbers: int) -> None:
        tenures = [self._tenures.pop(number) for number in numbers if number in self._tenures]
        for tenure in tenures:
            tenure.cancel()
        await asyncio.gather(*tenures, return_exceptions=True)


def _longer(wait: float) -> float:
    return min(wait * 2, LONGEST_WAIT_S)


async def _undisturbed(work: Coroutine[Any, Any, None]) -> None:
    """Let the work end, also where we are cancelled meanwhile."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
