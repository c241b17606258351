"""Why something that is published of a customer changes, and what of a customer may be published with it."""

from typing import NamedTuple

from processors.messages import Definitions
from schemas.facts import identifiers_of
from schemas.identity import split_namespace
from schemas.state import Cluster

TIME = "time"


class Why(NamedTuple):
    """What makes something change.

    `cause`: the event's source/message_id, or `time`; `at`: when that happened. `id`: what the ids of changes are made
    of. `definition`: the one that came into force, if that is it.
    """

    cause: str
    at: int
    id: str
    definition: str = ""


def public_of(cluster: Cluster, members: list[str], definitions: Definitions) -> dict[str, list[str]]:
    """The identifiers of a customer that are not personal, by namespace."""
    known = identifiers_of(cluster["parts"].values(), members)
    return {
        namespace: values
        for namespace, values in known.items()
        if split_namespace(namespace)[0] in definitions.public_namespaces
    }
