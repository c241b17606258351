"""Reading `cdp.definitions.v1`: genesis and every version of every definition, compiled for the fold."""

from typing import TypeVar

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from processors.calendar import Calendar
from processors.identifiers import Identifiers
from processors.messages import Definitions
from processors.portrait.compiled import Context
from processors.portrait.deltas import leaf_index
from processors.portrait.model import compile_portrait, leaves
from processors.portrait.nobody import nobody_of
from schemas.clients import stop, within
from schemas.definitions import KINDS, Definition, validate
from schemas.errors import ConfigError
from schemas.genesis import KEY, Genesis
from schemas.graph import Defined
from schemas.identity import IdentityRules
from schemas.leaves import Leaf
from schemas.lifecycle import Lifecycle
from schemas.portrait import Model, Rates, Thresholds
from schemas.settings import Settings
from schemas.topics import DEFINITIONS

READ_S = 30.0
_ADVICE = "`cdp init` makes a deployment"
T = TypeVar("T")
KINDS_IN_FORCE = ("identity", "lifecycle", "model", "collecting", "thresholds", "rates")
"""Kinds of markers, whose definitions make what is in force."""


class NotRead(ConfigError):
    """A definition is in force that this library lacks: it was published since it was read, as a rule."""


class Library:
    """A deployment's genesis and definitions; compiled ones are remembered."""

    def __init__(self, genesis: Genesis, definitions: dict[str, Definition]) -> None:
        self.genesis = genesis
        self.calendar = Calendar(genesis.timezone)
        self._definitions = definitions
        self._compiled: dict[tuple[str | None, ...], Definitions] = {}

    def knows(self, key: str) -> bool:
        """Whether a definition was read."""
        return key in self._definitions

    def take(self, newer: "Library") -> None:
        """Take over what was published since this was read; what was read already never changes."""
        self._definitions |= newer._definitions  # noqa: SLF001 -- its own kind

    def compile(self, in_force: dict[str, str]) -> Definitions:
        """The definitions in force; NotRead where one is lacking."""
        keys = tuple(in_force.get(kind) for kind in KINDS_IN_FORCE)
        if keys not in self._compiled:
            self._compiled[keys] = self._compile(in_force)
        return self._compiled[keys]

    def _compile(self, in_force: dict[str, str]) -> Definitions:
        model = self._get(Model, in_force, "model") if "model" in in_force else None
        defined = [] if model is None else [self._named(key) for key in model.definitions]
        if not any(isinstance(each, Lifecycle) for each in defined):
            defined.append(self._get(Lifecycle, in_force, "lifecycle"))
        identity = self._get(IdentityRules, in_force, "identity")
        rates = self._get(Rates, in_force, "rates").rates if "rates" in in_force else {}
        thresholds = self._get(Thresholds, in_force, "thresholds") if "thresholds" in in_force else None
        remembered = self._leaves(model)
        if "collecting" in in_force:
            remembered |= self._leaves(self._get(Model, in_force, "collecting"))
        context = Context(self.calendar, {} if model is None else model.leaves)
        portrait = compile_portrait(defined, context, self.genesis.currency, rates, thresholds)
        return Definitions(
            portrait,
            nobody_of(portrait, self.calendar),
            leaf_index(((leaf, key) for key, leaf in remembered.items()), self.calendar),
            self.calendar,
            Identifiers(identity),
            frozenset(n.name for n in identity.namespaces if not n.personal),
            0 if model is None else model.version,
            frozenset(self._leaves(model)),
        )

    def _leaves(self, model: Model | None) -> dict[str, Leaf]:
        """By their keys, the leaves that a model remembers."""
        if model is None:
            return {}
        needed = leaves(self._named(key) for key in model.definitions)
        return {
            f"{digest}.{model.leaves[digest]}": leaf
            for digest, leaf in needed.items()
            if digest in model.leaves
        }

    def _named(self, key: str) -> Defined:
        definition = self._definitions.get(key)
        if not isinstance(definition, Defined):
            raise _missing(key)
        return definition

    def _get(self, model: type[T], in_force: dict[str, str], kind: str) -> T:
        if kind not in in_force:
            raise ConfigError(f"no {kind} definition is in force", DEFINITIONS.name(), _ADVICE)
        definition = self._definitions.get(in_force[kind])
        if not isinstance(definition, model):
            raise _missing(in_force[kind])
        return definition


def _missing(key: str) -> NotRead:
    return NotRead(f"{key} is in force, and the log lacks it", DEFINITIONS.name(), _ADVICE)


async def read_library(settings: Settings) -> Library:
    """Read the topic to its end; ConfigError where there is no deployment yet, OSError where Kafka does not answer."""
    topic = DEFINITIONS.name(settings.namespace)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka, enable_auto_commit=False, isolation_level="read_committed"
    )
    try:
        async with within(READ_S):
            await consumer.start()
            if topic not in await consumer.topics():
                raise ConfigError("there is no deployment", topic, _ADVICE)
            found = await _read_all(consumer, TopicPartition(topic, 0))
        return _library(found, topic)
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
