"""A transactional producer of which a deployment has one at a time, by its name.

Who starts one fences whoever was before and ends what the broker forgot to end, so what is read after that is all that
there is.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from kafka import KafkaProducer, TopicPartition
from kafka.errors import InvalidProducerEpochError, KafkaError, ProducerFencedError

from processors.hanging import last_transaction, write_lost_markers
from schemas.errors import CdpError, Unavailable
from schemas.settings import Settings

TIMEOUT_MS = 10_000
"""An open transaction stalls every reader of what it wrote to."""
ACKNOWLEDGED_S = 30.0
_FENCED = (InvalidProducerEpochError, ProducerFencedError)


@contextmanager
def sole_producer(
    settings: Settings,
    name: str,
    written: Sequence[TopicPartition],
    fenced: CdpError,
    hint: str,
    **options: Any,
) -> Iterator[KafkaProducer]:
    """Take over as the producer of a name; `written`: every partition that it may write.

    `fenced` where another takes over in turn, Unavailable, with the hint, without Kafka.
    """
    id_ = f"{settings.namespace}-{name}"
    producer: KafkaProducer | None = None
    try:
        last = last_transaction(settings.kafka, id_)
        producer = KafkaProducer(
            bootstrap_servers=settings.kafka.split(","), transactional_id=id_, transaction_timeout_ms=TIMEOUT_MS,
            acks="all", allow_auto_create_topics=False, **options,
        )  # fmt: skip
        producer.init_transactions()
        write_lost_markers(settings.kafka, last, list(written))
        yield producer
    except KafkaError as error:
        if is_fenced(error):
            raise fenced from error
        raise Unavailable(f"Kafka: {error}", settings.kafka, hint) from error
    finally:
        if producer is not None:
            producer.close(timeout=5)


def is_fenced(error: BaseException) -> bool:
    """What is sent after somebody else took over fails with the first failure inside."""
    return any(isinstance(each, _FENCED) for each in (error, *error.args))
