"""The records of `cdp.sources.v1`: reading them, and writing them as the only one who does.

    who may change them now -> what is there -> what becomes of it -> one transaction

Two who change something at once wait for each other, so neither works on what the other is about to replace.
"""

import logging
import random
import time
from collections.abc import Callable, Mapping

from kafka import KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from deploy.records import read_all
from deploy.sole_producer import ACKNOWLEDGED_S, sole_producer
from schemas.errors import CdpError, Unavailable
from schemas.settings import Settings
from schemas.sources import PREFIX, Source, key_of
from schemas.topics import SOURCES

Records = Mapping[str, bytes]
"""Key -> value, the newest."""
ATTEMPTS, MAX_WAIT_S = 10, 15.0


def read(settings: Settings) -> dict[str, bytes]:
    """What is in the topic, as committed; nothing where there is no topic. Unavailable without Kafka."""
    try:
        records = read_all(settings, SOURCES.name(settings.namespace))
    except KafkaError as error:
        raise Unavailable(f"Kafka: {error}", settings.kafka, "is it running? `cdp status`") from error
    return {key.decode(): value for key, value in records.items() if value}


def sources(records: Records) -> dict[str, Source]:
    """The sources in force, by name and in its order."""
    keys = sorted(key for key in records if key.startswith(PREFIX))
    return {key.removeprefix(PREFIX): Source.model_validate_json(records[key]) for key in keys}


def record(source: Source) -> tuple[str, bytes]:
    """A source as key and value."""
    return key_of(source.name), source.model_dump_json().encode()


def write(settings: Settings, make: Callable[[Records], Records]) -> None:
    """Write what is made of what is there, all of it or nothing.

    Where another takes over meanwhile, it is made anew of what that one left; so `make` must know its own work again.
    What it raises is raised. CdpError where others never let it through, Unavailable without Kafka.
    """
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what it says of being overtaken is said by us
    topic = SOURCES.name(settings.namespace)
    fenced = CdpError("others change sources all the time", topic, "try again in a moment")
    hint = "whether it was done: `cdp sources list`"
    for attempt in range(ATTEMPTS):
        try:
            with sole_producer(settings, "sources", [TopicPartition(topic, 0)], fenced, hint) as producer:
                if made := make(read(settings)):
                    _commit(producer, topic, made)
                return
        except CdpError as error:
            if error is not fenced:
                raise
        # Each longer and at random, or two would take over from each other for ever.
        time.sleep(random.uniform(0, min(MAX_WAIT_S, 0.5 * 2**attempt)))  # noqa: S311 - nobody is to guess anything
    raise fenced


def _commit(producer: KafkaProducer, topic: str, made: Records) -> None:
    producer.begin_transaction()
    sent = [producer.send(topic, key=key.encode(), value=value, partition=0) for key, value in made.items()]
    producer.flush()
    for one in sent:
        one.get(ACKNOWLEDGED_S)
    producer.commit_transaction()
