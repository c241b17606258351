"""Why something that is published of a customer changes, and what of a customer may be published with it."""

from typing import NamedTuple

from processors.messages import Definitions
from schemas.facts import MAX_IDENTIFIERS
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


Public = dict[str, list[str]]
"""The identifiers of a customer that are published with it, by namespace."""


def public_of(cluster: Cluster, members: list[str], definitions: Definitions) -> Public:
    """The identifiers of a customer that are not personal, by namespace."""
    found, keys = dict[str, set[str]](), {*members, ""}
    for part in cluster["parts"].values():
        for namespace, values in part["identifiers"].items():
            if split_namespace(namespace)[0] in definitions.public_namespaces:
                mine = [value for value, key in values.items() if key in keys]
                if mine:
                    found.setdefault(namespace, set()).update(mine)
    return {namespace: sorted(found[namespace])[:MAX_IDENTIFIERS] for namespace in sorted(found)}
