"""The desk at which an import's events are taken in: that of its source, but nothing is enriched. Pure."""

from typing import NamedTuple

from ingest.canonical import Desk, desk
from ingest.identifiers import Policy
from ingest.plan import of_record
from schemas.identity import IdentityRules, Keys
from schemas.sources import Source


class Terms(NamedTuple):
    """All that a desk is made of, to be handed to another process; `plan` is the record of the one in force."""

    source: Source
    rules: IdentityRules
    plan: bytes | None
    secret: str
    partitions: int
    currency: str


def opened(given: Terms) -> Desk:
    """The desk."""
    source = given.source
    namespaces = None if source.namespaces == "all" else frozenset(source.namespaces)
    keys = Keys(given.rules, given.secret)
    policy = Policy(keys, given.partitions, namespaces, source.phone_region, source.trusted)
    plan = None if given.plan is None else of_record(given.plan)
    return desk(source.name, source.channel, given.currency, policy, None, plan)
