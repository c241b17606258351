"""What `cdp.definitions.v1` tells: every definition, every model, and how far the last publication is."""

from datetime import UTC, datetime
from typing import NamedTuple

import orjson
from kafka.errors import KafkaError

from deploy.records import read_records
from schemas import genesis
from schemas.definitions import KINDS, Definition, key_of, validate
from schemas.errors import ConfigError, Unavailable
from schemas.genesis import Genesis
from schemas.lifecycle import Lifecycle
from schemas.portrait import Model
from schemas.publication import PREFIX, Publication
from schemas.publication import key_of as key_of_publication
from schemas.settings import Settings
from schemas.topics import DEFINITIONS


class Published(NamedTuple):
    """A model, when it was published (UTC), and how that went on; a deployment is founded with its first at once."""

    model: Model
    at: datetime
    publication: Publication | None

    @property
    def in_force(self) -> bool:
        """Whether it was put in force."""
        return self.publication is None or bool(self.publication.marked)


class History(NamedTuple):
    """Of a deployment. `models`: in their order; of these at most the last is not in force yet."""

    genesis: Genesis
    definitions: dict[str, Definition]
    models: tuple[Published, ...]

    @property
    def now(self) -> Model | None:
        """The model in force; None where the deployment was founded without."""
        return next((each.model for each in reversed(self.models) if each.in_force), None)

    @property
    def unfinished(self) -> Published | None:
        """The model whose publication has begun and not ended."""
        return self.models[-1] if self.models and not self.models[-1].in_force else None

    @property
    def lifecycle(self) -> Lifecycle:
        """The lifecycle in force; before the first model there is one, that of the founding."""
        keys = [
            key
            for key in (self.now.definitions if self.now else self.definitions)
            if key.startswith("lifecycle/")
        ]
        found = self.definitions.get(keys[0]) if keys else None
        if not isinstance(found, Lifecycle):
            raise ConfigError("no lifecycle is in force", DEFINITIONS.name(), "`cdp init` makes a deployment")
        return found


def read(settings: Settings) -> History:
    """Read the topic; ConfigError where there is no deployment or it is another's, Unavailable without Kafka."""
    topic = DEFINITIONS.name(settings.namespace)
    try:
        records = {key.decode(): record for key, record in read_records(settings, topic).items()}
    except KafkaError as error:
        raise Unavailable(f"Kafka: {error}", settings.kafka, "is it running? `cdp status`") from error
    if genesis.KEY not in records:
        raise ConfigError("there is no deployment", topic, "`cdp up` or `cdp init` makes one")
    founded = Genesis.model_validate_json(records[genesis.KEY].value)
    genesis.check(founded, settings)
    found, progress = dict[str, Definition](), dict[str, Publication]()
    for key, record in records.items():
        kind = key.partition("/")[0]
        if key.startswith(PREFIX):
            progress[key] = Publication.model_validate_json(record.value)
        elif kind in KINDS:
            found[key] = validate(KINDS[kind], orjson.loads(record.value), f"{topic} {key}")
    models = sorted(
        (each for each in found.values() if isinstance(each, Model)), key=lambda model: model.version
    )
    published = (
        Published(
            model, _instant(records[key_of(model)].timestamp), progress.get(key_of_publication(key_of(model)))
        )
        for model in models
    )
    return History(founded, found, tuple(published))


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
