"""Transactions that have ended, and of which a partition was never told.

Kafka ends a transaction with a marker in each partition that it wrote. Where a partition has no leader just then (a
broker that is restarted within its session timeout, for one), its coordinator takes the partition for deleted, leaves
the marker out and records the transaction as complete (`Couldn't find leader endpoint`, seen with 4.3.1). No
read_committed reader passes such a place ever again, and the marker of the producer's next transaction would end both
alike: what was aborted would count. So whoever takes over a transactional id writes the markers that are missing.
"""

import time
from collections.abc import Iterable
from contextlib import closing
from typing import Any, NamedTuple

import structlog
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import AbortTransactionSpec
from kafka.errors import BrokerResponseError, TransactionalIdNotFoundError

from processors.admin import admin

log = structlog.get_logger()
PATIENCE_S = 10.0
_COMMITTED = ("PrepareCommit", "CompleteCommit")


class Last(NamedTuple):
    """The last transaction of a transactional id: whose it was, and whether it was committed."""

    producer_id: int
    committed: bool


class _Committing(KafkaAdminClient):  # type: ignore[misc]
    """Writes commit markers where the client has a call for abort markers only."""

    @staticmethod
    def _abort_transaction_request(spec: AbortTransactionSpec) -> Any:
        request = KafkaAdminClient._abort_transaction_request(spec)  # noqa: SLF001
        request.markers[0].transaction_result = True
        return request


def last_transaction(kafka: str, transactional_id: str) -> Last | None:
    """To be asked before the id's producer starts, which forgets it; None where there was none.

    KafkaError of kafka-python where Kafka does not say within PATIENCE_S.
    """
    deadline = time.monotonic() + PATIENCE_S
    with closing(admin(kafka)) as client:
        while True:
            try:
                found = client.describe_transactions([transactional_id])[transactional_id]
                return Last(found.producer_id, found.state.value in _COMMITTED)
            except TransactionalIdNotFoundError:
                return None
            except BrokerResponseError as error:  # of a coordinator that is loading, or being chosen
                if not error.retriable or time.monotonic() > deadline:
                    raise
            time.sleep(0.1)


def write_lost_markers(kafka: str, last: Last | None, partitions: Iterable[TopicPartition]) -> None:
    """End what the last transaction left open in these partitions; once the id's producer has started.

    KafkaError of kafka-python where Kafka does not do it. That producer starts when all before is complete, so what is
    still open then stays open.
    """
    if last is None:
        return
    with closing(admin(kafka, _Committing if last.committed else KafkaAdminClient)) as client:
        for partition, state in client.describe_producers(partitions).items():
            for producer in state.active_producers:
                open_at = producer.current_transaction_start_offset
                if producer.producer_id == last.producer_id and open_at >= 0:
                    whose = producer.producer_id, producer.producer_epoch, producer.coordinator_epoch
                    client.abort_transaction(AbortTransactionSpec(partition, *whose))
                    place = f"{partition.topic}/{partition.partition}/{open_at}"
                    log.warning("lost transaction marker written", place=place, committed=last.committed)
