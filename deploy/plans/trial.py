"""Trying a tracking plan on what was sent: the very check that ingest makes, on the events of the last days."""

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from deploy.definitions import history
from deploy.plans.change import check_namespaces, check_source
from deploy.reach import check as check_reach
from deploy.sources.log import read, sources
from ingest.accept import accept
from ingest.bodies import parse
from ingest.canonical import Arrival, Desk, desk
from ingest.identifiers import Policy
from ingest.plan import Compiled, compiled
from ingest.refusal import Refusal
from projections.connect import connect
from projections.planned import Rejected, Taken, rejected, taken
from schemas import plan as plans
from schemas.identity import IdentityRules, Keys
from schemas.plan import Planned
from schemas.settings import Settings
from schemas.sources import Source
from schemas.topics import DAY_MS

EXAMPLES = 3
MAX_RULES = 10_000
OTHERS = "other rules"
"""What is beyond MAX_RULES: a source may send unplanned names without end."""


@dataclass(slots=True)
class Broken:
    """How often a rule would be broken, and by which events, some message ids."""

    events: int = 0
    examples: list[str] = field(default_factory=list)


class Rule(NamedTuple):
    """A rule, and whether an event that breaks it would be rejected."""

    name: str
    reject: bool


@dataclass(slots=True)
class Trial:
    """What a plan would do: of `events`, how many it would reject or mark, and for which rules.

    Of what plans rejected, `again` events were tried anew, and `accepted` of them would be taken now.
    """

    events: int = 0
    rejected: int = 0
    marked: int = 0
    rules: dict[Rule, Broken] = field(default_factory=dict)
    again: int = 0
    accepted: int = 0


def run(settings: Settings, path: Path, days: int) -> tuple[Planned, Trial]:
    """Try the plan of a file; ConfigError, NotFound or Unavailable as publishing it would have."""
    plan = plans.load(path)
    check_reach(settings)
    check_namespaces(settings, plan, str(path))
    there = read(settings)
    check_source(there, plan.source)
    checker, since = compiled(plan), time.time_ns() // 1_000_000 - days * DAY_MS
    with connect(settings) as client:
        trial = tried(checker, taken(client, settings, plan.source, since))
        at = replace(_desk(settings, sources(there)[plan.source]), plan=checker)
        try_again(trial, at, rejected(client, settings, plan.source, since))
    return plan, trial


def tried(checker: Compiled, events: Iterable[Taken]) -> Trial:
    """What a plan would do with events."""
    trial = Trial()
    for name, message_id, version, properties, traits, identifiers in events:
        trial.events += 1
        rules, reject = checker.check(name, version, properties, traits, identifiers)
        if not rules:
            continue
        if reject:
            trial.rejected += 1
        else:
            trial.marked += 1
        for each in rules:
            _note(trial.rules, Rule(each, reject), message_id)
    return trial


def _note(rules: dict[Rule, Broken], rule: Rule, message_id: str) -> None:
    if rule not in rules and len(rules) >= MAX_RULES:
        rule = rule._replace(name=OTHERS)
    broken = rules.setdefault(rule, Broken())
    broken.events += 1
    if len(broken.examples) < EXAMPLES:
        broken.examples.append(message_id)


def try_again(trial: Trial, at: Desk, events: Iterable[Rejected]) -> None:
    """Take what a plan rejected in again; what its request's envelope said is not known any more."""
    for original, received_at in events:
        trial.again += 1
        with suppress(Refusal):  # what cannot be read is not accepted
            trial.accepted += len(accept([parse(original)], at, Arrival(received_at, "again")).events)


def _desk(settings: Settings, source: Source) -> Desk:
    found = history.read(settings).definitions.values()
    rules = max((each for each in found if isinstance(each, IdentityRules)), key=lambda each: each.version)
    keys = Keys(rules, settings.key_secret.get_secret_value())
    namespaces = None if source.namespaces == "all" else frozenset(source.namespaces)
    policy = Policy(keys, settings.partitions, namespaces, source.phone_region, source.trusted)
    return desk(source.name, source.channel, settings.currency, policy)
