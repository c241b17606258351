"""Reading `cdp.definitions.v1`: genesis and every version of every definition, compiled for the fold."""

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from processors.calendar import Calendar
from processors.identifiers import Identifiers
from processors.messages import Definitions
from processors.stages import compile_lifecycle
from processors.stopping import stop
from schemas.definitions import KINDS, Definition, validate
from schemas.errors import ConfigError
from schemas.genesis import KEY, Genesis
from schemas.identity import IdentityRules
from schemas.lifecycle import Lifecycle
from schemas.settings import Settings
from schemas.topics import DEFINITIONS

_ADVICE = "`cdp init` makes a deployment"


class Library:
    """A deployment's genesis and definitions; compiled ones are remembered."""

    def __init__(self, genesis: Genesis, definitions: dict[str, Definition]) -> None:
        self.genesis = genesis
        self.calendar = Calendar(genesis.timezone)
        self._definitions = definitions
        self._compiled: dict[tuple[str, str], Definitions] = {}

    def knows(self, key: str) -> bool:
        """Whether a definition was read."""
        return key in self._definitions

    def compile(self, in_force: dict[str, str]) -> Definitions:
        """The definitions in force; ConfigError where the log lacks one."""
        try:
            names = in_force["lifecycle"], in_force["identity"]
        except KeyError as missing:
            raise ConfigError(
                f"no {missing.args[0]} definition is in force", DEFINITIONS.name(), _ADVICE
            ) from None
        if names not in self._compiled:
            lifecycle, identity = (self._definitions.get(name) for name in names)
            if not isinstance(lifecycle, Lifecycle) or not isinstance(identity, IdentityRules):
                raise ConfigError(
                    f"a marker names {names}, the log lacks one of them", DEFINITIONS.name(), _ADVICE
                )
            public = frozenset(n.name for n in identity.namespaces if not n.personal)
            stages = compile_lifecycle(lifecycle, names[0], self.calendar)
            self._compiled[names] = Definitions(stages, self.calendar, Identifiers(identity), public)
        return self._compiled[names]


async def read_library(settings: Settings) -> Library:
    """Read the topic to its end; ConfigError where there is no deployment yet."""
    topic = DEFINITIONS.name(settings.namespace)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka, enable_auto_commit=False, isolation_level="read_committed"
    )
    try:
        await consumer.start()
        if topic not in await consumer.topics():
            raise ConfigError("there is no deployment", topic, _ADVICE)
        return _library(await _read_all(consumer, TopicPartition(topic, 0)), topic)
    finally:
        await stop(consumer)


async def _read_all(consumer: AIOKafkaConsumer, partition: TopicPartition) -> dict[str, bytes]:
    consumer.assign([partition])
    await consumer.seek_to_beginning(partition)
    end = (await consumer.end_offsets([partition]))[partition]
    found: dict[str, bytes] = {}
    while await consumer.position(partition) < end:
        for records in (await consumer.getmany(timeout_ms=200)).values():
            found |= {record.key.decode(): record.value for record in records if record.key and record.value}
    return found


def _library(found: dict[str, bytes], topic: str) -> Library:
    if KEY not in found:
        raise ConfigError("there is no genesis record", topic, _ADVICE)
    genesis = validate(Genesis, orjson.loads(found.pop(KEY)), f"{topic} {KEY}")
    definitions: dict[str, Definition] = {}
    for key, value in found.items():
        kind = key.partition("/")[0]
        if kind in KINDS:
            definitions[key] = validate(KINDS[kind], orjson.loads(value), f"{topic} {key}")
    return Library(genesis, definitions)
