"""`cdp init`: the topics, genesis, the first definitions and their markers in every partition, and the first sources.

Safe to run twice, by two at once, and again after it was killed anywhere: one transactional producer at a time, genesis
first, and only what is missing.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from deploy import reach
from deploy.definitions.founding import founding
from deploy.records import read_all, until_readable
from deploy.sources.log import Records
from deploy.sources.seed import first, of_file, seed
from processors.hanging import last_transaction, write_lost_markers
from schemas import definitions
from schemas.errors import ConfigError, TopicMismatch, Unavailable
from schemas.event import Marker
from schemas.genesis import KEY, Genesis, check, check_settings, found
from schemas.settings import Settings
from schemas.sources import Declared
from schemas.topics import DEFINITIONS, EVENTS, SOURCES, TOPICS, Topic


def _silent(_: str) -> None:
    """Nobody to tell."""


def init(settings: Settings, tell: Callable[[str], None] = _silent) -> Genesis:
    """Found the deployment, or join it where it is there; `tell` hears where the sources file and the log differ.

    ConfigError, GenesisMismatch or TopicMismatch where settings and deployment cannot go together.
    """
    check_settings(settings)
    declared = of_file(settings)
    chosen = [
        definitions.load(settings.identity, "identity"),
        definitions.load(settings.lifecycle, "lifecycle"),
    ]
    try:
        make_topics(settings)
        id_ = f"{settings.namespace}-init"
        last = last_transaction(settings.kafka, id_)
        producer = KafkaProducer(bootstrap_servers=settings.kafka, transactional_id=id_, acks="all")
        try:
            producer.init_transactions()
            write_lost_markers(settings.kafka, last, _written(settings))
            genesis = _found(settings, producer, chosen, declared)
        finally:
            producer.close()
    except KafkaError as error:
        raise Unavailable(f"Kafka: {error}", settings.kafka, "is it running? `cdp status`") from error
    for line in seed(settings, declared):
        tell(line)
    return genesis


def joined(settings: Settings) -> Genesis:
    """The genesis of the deployment that is there.

    ConfigError where there is none, GenesisMismatch where these settings are another's, Unavailable without Kafka.
    """
    reach.check(settings, clickhouse=False)
    topic = DEFINITIONS.name(settings.namespace)
    try:
        there = read_all(settings, topic)
    except KafkaError as error:
        raise Unavailable(f"Kafka: {error}", settings.kafka, "is it running? `cdp status`") from error
    if KEY.encode() not in there:
        raise ConfigError("there is no deployment", topic, "`cdp up` or `cdp init` makes one")
    genesis = Genesis.model_validate_json(there[KEY.encode()])
    check(genesis, settings)
    return genesis


def make_topics(settings: Settings) -> None:
    """Create the topics that are missing; TopicMismatch where one has other partitions than it must."""
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka)
    try:
        there = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}
        for topic in TOPICS:
            name, wanted = topic.name(settings.namespace), topic.partitions or settings.partitions
            if name not in there:
                _create(admin, topic, name, wanted, settings.replication)
            elif there[name] != wanted:
                what = f"it has {there[name]} partitions, the deployment needs {wanted}"
                raise TopicMismatch(
                    what, name, "set CDP_PARTITIONS to what it has, or choose another CDP_NAMESPACE"
                )
    finally:
        admin.close()


def _create(admin: KafkaAdminClient, topic: Topic, name: str, partitions: int, replication: int) -> None:
    new = NewTopic(
        name, num_partitions=partitions, replication_factor=replication, topic_configs=topic.config
    )
    try:
        admin.create_topics([new])
    except TopicAlreadyExistsError:
        return


def _found(
    settings: Settings,
    producer: KafkaProducer,
    chosen: list[definitions.Definition],
    declared: Sequence[Declared],
) -> Genesis:
    there = read_all(settings, DEFINITIONS.name(settings.namespace))
    if KEY.encode() in there:
        genesis = Genesis.model_validate_json(there[KEY.encode()])
        check(genesis, settings)
        _check_chosen(settings, chosen, there)
    else:
        genesis = found(settings, str(uuid.uuid4()), int(time.time() * 1000))
        begun = first(settings, declared)
        _write(settings, producer, genesis, chosen, begun)
        until_readable(settings, SOURCES, begun)
    until_readable(settings, DEFINITIONS, [KEY])
    return genesis


def _write(
    settings: Settings,
    producer: KafkaProducer,
    genesis: Genesis,
    chosen: list[definitions.Definition],
    sources_: Records,
) -> None:
    records, marked = founding(settings, chosen)
    topic = DEFINITIONS.name(settings.namespace)
    producer.begin_transaction()
    _send(producer, topic, 0, [(KEY, genesis.model_dump(mode="json")), *_records(records)])
    for partition in range(settings.partitions):
        _send(producer, EVENTS.name(settings.namespace), partition, _markers(marked))
    for key, value in sources_.items():
        producer.send(SOURCES.name(settings.namespace), key=key.encode(), value=value, partition=0)
    producer.commit_transaction()


def _check_chosen(
    settings: Settings, chosen: list[definitions.Definition], there: dict[bytes, bytes]
) -> None:
    """What a deployment was founded with holds; only a variable that is set can contradict it."""
    asked = [d for d in chosen if d.kind in settings.model_fields_set]
    missing = [d for d in asked if _is_missing(d, there)]
    if missing:
        names = ", ".join(definitions.key_of(d) for d in missing)
        raise ConfigError(
            f"the deployment has no {names}",
            "CDP_LIFECYCLE, CDP_IDENTITY",
            "it keeps those that it was founded with: leave these unset, or set CDP_HOME for another deployment",
        )


def _written(settings: Settings) -> list[TopicPartition]:
    """Every partition that founding writes."""
    events = EVENTS.name(settings.namespace)
    return [
        TopicPartition(DEFINITIONS.name(settings.namespace), 0),
        TopicPartition(SOURCES.name(settings.namespace), 0),
        *(TopicPartition(events, number) for number in range(settings.partitions)),
    ]


def _is_missing(definition: definitions.Definition, there: dict[bytes, bytes]) -> bool:
    key = definitions.key_of(definition)
    value = there.get(key.encode())
    if value is not None and type(definition).model_validate_json(value) != definition:
        raise ConfigError(
            "this version is in the log with another content", key, "give the changed file a new version"
        )
    return value is None


def _records(chosen: Iterable[definitions.Definition]) -> list[tuple[str, Any]]:
    return [(definitions.key_of(d), d.model_dump(mode="json", by_alias=True)) for d in chosen]


def _markers(chosen: Iterable[definitions.Definition]) -> list[tuple[str, Any]]:
    markers = [Marker(kind=d.kind, definition=definitions.key_of(d)) for d in chosen]
    return [(marker.type, marker.model_dump(mode="json")) for marker in markers]


def _send(producer: KafkaProducer, topic: str, partition: int, records: Iterable[tuple[str, Any]]) -> None:
    for key, value in records:
        producer.send(topic, key=key.encode(), value=orjson.dumps(value), partition=partition)
