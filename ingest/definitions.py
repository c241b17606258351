"""What ingest reads of `cdp.definitions.v1` before it accepts anything: genesis and the identity rules."""

from aiokafka import AIOKafkaConsumer

from ingest.answering import answering
from ingest.following import read_whole
from schemas import genesis
from schemas.clients import stop
from schemas.errors import ConfigError
from schemas.genesis import Genesis
from schemas.identity import IdentityRules
from schemas.settings import Settings
from schemas.topics import DEFINITIONS

PATIENCE = 10.0
"""Seconds for one attempt to read the topic."""


async def read(settings: Settings) -> dict[str, bytes]:
    """Every record of the topic, the newest of each key; Unavailable where Kafka does not answer."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka, isolation_level="read_committed", enable_auto_commit=False
    )
    topic = DEFINITIONS.name(settings.namespace)
    try:
        async with answering(settings, PATIENCE):
            await consumer.start()
            there = topic in await consumer.topics()
            found = await read_whole(consumer, [topic]) if there else {}
            return {key: value for (_, key), value in found.items() if value}
    finally:
        await stop(consumer)


def founded(records: dict[str, bytes], settings: Settings) -> IdentityRules:
    """The identity rules in force where these settings belong to a deployment, else ConfigError."""
    if genesis.KEY not in records:
        raise ConfigError(
            "no deployment here yet", DEFINITIONS.name(settings.namespace), "run `cdp init` first"
        )
    genesis.check(Genesis.model_validate_json(records[genesis.KEY]), settings)
    rules = [
        IdentityRules.model_validate_json(records[key]) for key in records if key.startswith("identity/")
    ]
    if not rules:
        raise ConfigError("no identity rules", DEFINITIONS.name(settings.namespace), "run `cdp init` again")
    return max(rules, key=lambda rule: rule.version)
