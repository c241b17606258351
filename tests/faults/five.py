"""The five that are killed: a whole platform of a test's own, kept up as a supervisor would."""

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from deploy.init import init
from deploy.program import Program, tail
from projections.connect import connect
from projections.migrate import migrate
from projections.registry import PROJECTIONS
from projections.store import group_of
from schemas.settings import Settings
from schemas.topics import EVENTS
from tests.faults.ledger import Ledger
from tests.processes import Process
from tests.servers import Broker, Server
from tests.waiting import until

FIVE = ("worker", "ingest", "sink", "broker", "clickhouse")
PATIENCE_S = 180.0


class Platform:
    """Kafka, ClickHouse, ingest, two workers and a sink; started from the test's own thread, with which they end."""

    def __init__(self, settings: Settings, broker: Broker, server: Server, ledger: Ledger) -> None:
        init(settings)
        migrate(settings)
        with connect(settings) as client:
            events = next(p for p in PROJECTIONS if p.topic is EVENTS)
            sink = group_of(client, events, settings.namespace)
        self.settings, self.ledger = settings, ledger
        self.groups = {"worker": f"{settings.namespace}-fold", "sink": sink}
        self.programs: dict[str, Program] = {
            "broker": broker.program,
            "clickhouse": server.program,
            "ingest": Process("ingest", settings),
            "sink": Process("sink", settings),
            "worker-1": Process("worker", settings, "worker-1"),
            "worker-2": Process("worker", settings, "worker-2"),
        }
        self.kills: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.last_words: list[str] = []
        self.lags: dict[str, list[int]] = {"worker": [], "sink": []}
        self._started: dict[str, int] = {}
        self._done = {"worker": 0, "sink": 0}

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Everything started; nothing left."""
        try:
            for name in ("ingest", "sink", "worker-1", "worker-2"):
                self._start(name)
            yield
        finally:
            for name in ("ingest", "sink", "worker-1", "worker-2", "clickhouse", "broker"):
                self.programs[name].kill()

    def kill_at_work(self, victim: str, dice: random.Random) -> None:
        """kill -9 at a random moment of its work, and start it again a random moment later."""
        name = f"worker-{dice.randrange(1, 3)}" if victim == "worker" else victim
        self.until(lambda: self._at_work(name), f"{name} is at work")
        threading.Event().wait(dice.random())  # the moment is what is tried
        self.programs[name].kill()
        self.kills[victim] += 1
        threading.Event().wait(dice.random())
        self._start(name)

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait; meanwhile whatever ended by itself is started again, and counted."""

        def kept() -> object:
            for name, program in self.programs.items():
                if not program.alive:
                    self.ended[name] += 1
                    self.last_words.append(f"--- {name}\n{tail(program.log, 30)}")
                    self._start(name)
            return condition()

        try:
            until(kept, what, PATIENCE_S)
        except AssertionError as error:
            error.add_note(self._told())
            raise

    def _told(self) -> str:
        """What each process said last, for whoever has to find out why a wait was in vain."""
        behind = {who: self.behind(who) for who in self.groups}
        last = (
            f"--- {name}, pid {program.pid}\n{tail(program.log, 30)}"
            for name, program in self.programs.items()
        )
        return "\n".join([f"(done, to be done): {behind}, acknowledged {self.ledger.count}", *last])

    def behind(self, who: str) -> tuple[int, int]:
        """(done, to be done) records of the events log, of the workers or the sink; as known while Kafka was there."""
        group, topic = self.groups[who], EVENTS.name(self.settings.namespace)
        places = [TopicPartition(topic, number) for number in range(self.settings.partitions)]
        with contextlib.suppress(KafkaError):
            if not self.programs["broker"].healthy():
                return self._done[who], 0
            reader = KafkaConsumer(
                bootstrap_servers=self.settings.kafka, group_id=group, enable_auto_commit=False
            )
            try:
                self._done[who] = sum(reader.committed(place, timeout_ms=5000) or 0 for place in places)
                return self._done[who], sum(
                    reader.end_offsets(places, timeout_ms=5000).values()
                ) - self._done[who]
            finally:
                reader.close(autocommit=False)
        return self._done[who], 0

    def _start(self, name: str) -> None:
        who = name.partition("-")[0]
        program = self.programs[name]
        if isinstance(program, Process) and who == "worker":
            self._started[name] = program.said().count("partition open")
        elif who == "sink":
            self._started[name] = self.behind("sink")[0]
        else:
            self._started[name] = self.ledger.count
        program.start()

    def _at_work(self, name: str) -> bool:
        """Whether it has done something since it was started, and has more to do."""
        program, before = self.programs[name], self._started.get(name, 0)
        if name == "clickhouse":
            return program.healthy()
        if name in ("ingest", "broker"):
            return self.ledger.count > before
        who = name.partition("-")[0]
        done, lag = self.behind(who)
        if isinstance(program, Process) and who == "worker":
            working = program.said().count("partition open") > before
        else:
            working = done > before
        if working and lag > 0:
            self.lags[who].append(lag)
        return working and lag > 0
