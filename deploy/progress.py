"""How far the platform is behind the log: for whoever brings history and waits until the views show it."""

import time
from collections.abc import Callable

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from deploy.clock import Offsets
from projections.lag import lag
from schemas.errors import Unavailable
from schemas.settings import Settings
from schemas.topics import EVENTS, fold_group

PATIENCE = 60.0
"""Seconds without any progress after which waiting is given up."""
POLL = 0.1
CALL_MS = 10_000
Tell = Callable[[int], None]


def wait_until_visible(settings: Settings, upto: Offsets, tell: Tell = lambda _: None) -> None:
    """Return when the views show what the log holds up to these offsets, both events and what came of them.

    `tell` gets the records that are missing yet. Unavailable when there is no progress for PATIENCE seconds.
    """
    _wait_until_folded(settings, upto, tell)
    wait(lambda: sum(lag(settings).values()), "the sink does not write", "sink", tell)


def wait_until_written(settings: Settings, tell: Tell = lambda _: None) -> None:
    """Return when the `events` view shows every event of the log; Unavailable as above."""
    wait(lambda: lag(settings)["events"], "the sink does not write", "sink", tell)


def _wait_until_folded(settings: Settings, upto: Offsets, tell: Tell) -> None:
    """Wait for the offsets that the workers' consumer group tells."""
    topic = EVENTS.name(settings.namespace)
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=settings.kafka.split(","),
            group_id=fold_group(settings.namespace),
            enable_auto_commit=False,
            allow_auto_create_topics=False,
        )
    except KafkaError as error:
        raise Unavailable(f"Kafka: {error}", settings.kafka, "is it running? `cdp status`") from error

    def unfolded() -> int:
        at = {p: consumer.committed(TopicPartition(topic, p), timeout_ms=CALL_MS) or 0 for p in upto}
        return sum(max(0, end + 1 - at[p]) for p, end in upto.items())

    try:
        wait(unfolded, "the workers do not fold", "worker-1", tell)
    finally:
        consumer.close(autocommit=False)


def wait(
    behind: Callable[[], int], what: str, process: str, tell: Tell, moving: Callable[[], int] = lambda: 0
) -> None:
    """Wait until nothing is behind; Unavailable where that does not shrink for PATIENCE seconds, and nothing is moving.

    A server that is away for a while is no progress, and nothing worse. `moving`: what changes while work goes on that
    ends all at once.
    """
    least, deadline, moved = None, time.monotonic() + PATIENCE, 0
    while True:
        try:
            left = behind()
            told = f"{left} records have been waiting for {PATIENCE:.0f} s"
            if not left:
                return
            tell(left)
            late = time.monotonic() > deadline
            if least is None or left < least or (late and moved != (moved := moving())):
                least, deadline = left, time.monotonic() + PATIENCE
        except (KafkaError, Unavailable) as error:
            told = str(error)
        if time.monotonic() > deadline:
            raise Unavailable(f"{what}: {told}", process, "`cdp status`, `cdp logs`")
        time.sleep(POLL)
