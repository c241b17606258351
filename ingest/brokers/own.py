"""What must not be pulled: topics of this deployment. Each event would come in again as another, for ever."""

from typing import Any

from kafka import KafkaAdminClient

from schemas.errors import ConfigError
from schemas.settings import Settings
from schemas.topics import TOPICS


def check(settings: Settings, topics: tuple[str, ...], options: dict[str, Any]) -> None:
    """ConfigError where these are ours; KafkaError where it cannot be found out. `options`: how to reach theirs.

    One cluster has many addresses, and local stacks have one cluster id: a topic is known by the id that Kafka gave it.
    """
    own = {topic.name(settings.namespace) for topic in TOPICS}
    if asked := [topic for topic in topics if topic in own]:
        theirs, ours = _ids(asked, options), _ids(asked, {"bootstrap_servers": settings.kafka.split(",")})
        if same := theirs.keys() & ours.keys():
            where = ", ".join(sorted(ours[each] for each in same))
            hint = "each event would come in again as another, for ever: name topics of somebody else"
            raise ConfigError("what is to be pulled is this deployment's own", where, hint)


def _ids(topics: list[str], options: dict[str, Any]) -> dict[str, str]:
    """The names of topics that are there, by their ids."""
    known = {name: value for name, value in options.items() if name in KafkaAdminClient.DEFAULT_CONFIG}
    admin = KafkaAdminClient(**known)
    try:
        found = admin.describe_topics(topics)
    finally:
        admin.close()
    return {str(topic["topic_id"]): topic["name"] for topic in found if not topic["error_code"]}
