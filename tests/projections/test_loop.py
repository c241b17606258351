"""What a loop does with a Kafka that is away for a moment; with real servers it is tried in `test_sink_faults`."""

import threading
from typing import Any, cast

import pytest
from kafka import OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaConnectionError, KafkaError, TopicAuthorizationFailedError

from projections.loop import Loop
from projections.registry import PROJECTIONS
from schemas.settings import Settings

KNOWN, NEW = TopicPartition("t", 0), TopicPartition("t", 1)


class Consumer:
    """Has nothing new, and was given a partition whose position only Kafka knows."""

    def __init__(self, error: KafkaError) -> None:
        self.error = error

    def poll(self, *_: Any, **__: Any) -> dict[Any, Any]:
        return {}

    def assignment(self) -> set[TopicPartition]:
        return {KNOWN, NEW}

    def position(self, partition: TopicPartition, **_: Any) -> int:
        if partition == NEW:
            raise self.error
        return 7


def loop(error: KafkaError) -> Loop:
    made = Loop(Settings(), PROJECTIONS[0], threading.Event())
    made.consumer = cast("Any", Consumer(error))
    return made


def test_a_position_that_kafka_does_not_tell_now_is_not_committed() -> None:
    assert loop(KafkaConnectionError("refused"))._gather() == ([], {KNOWN: OffsetAndMetadata(7, "", -1)})


def test_what_no_waiting_mends_ends_the_loop() -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        loop(TopicAuthorizationFailedError("t"))._gather()
