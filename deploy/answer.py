"""`cdp explain`: why a customer is what they are. What is asked, of whom, and what it takes to answer.

customer -> their events, the definitions in force, the time -> Explainer -> a tree
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from clickhouse_driver import Client

from deploy.definitions import history as log
from deploy.definitions.asking import context_of
from deploy.definitions.names import meant
from deploy.definitions.plan import standing
from deploy.known import Customer, customer
from deploy.profile import keys_of
from processors.calendar import Calendar
from processors.identifiers import Identifiers
from processors.portrait.asking import World
from processors.portrait.explain import Answer, Explainer
from processors.portrait.history import Happened
from processors.portrait.whose import Whose
from projections.connect import connect, retried
from projections.history import Known, events_of
from schemas import conditions as c
from schemas.event import EventBody
from schemas.graph import Defined, name_of
from schemas.labels import STAGES
from schemas.lifecycle import Lifecycle
from schemas.portrait import Value
from schemas.settings import Settings

READ_S = 10.0
WHERE = "STAGE|TAG|SEGMENT|ROLE"
SAYS = {"alias": "alias", "link": "alias", "split": "split"}
"""What events of a type say of their two identifiers. An alias of a source that is not trusted only links."""


class Told(NamedTuple):
    """The answer to what was asked, of whom, by which definition, at which logical time (Unix ms)."""

    customer: Customer
    asked: str
    definition: str
    now: int
    timezone: str
    answer: Answer


def explain(settings: Settings, who: str, what: str) -> Told:
    """Why somebody is in a stage, segment or role, carries a tag or has a tier; or why not.

    `what`: `stage`, `value`, a name, or kind/name. NotFound where there is no such customer, ConfigError where there is
    no such definition, Unavailable without Kafka or ClickHouse.
    """
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    keys, history = keys_of(settings), log.read(settings)
    definitions = standing(history.definitions, history.now) if history.now else [history.lifecycle]
    kind, name = named(definitions, what)
    with connect(settings) as client:

        def find() -> tuple[Customer, int, list[Known]]:
            of, _ = customer(client, keys, who)
            return of, _logical_at(client, of), events_of(client, of.keys)

        of, seen, events = retried(settings, find, READ_S)
    context = context_of(settings, history, definitions)
    now = max(context.now, seen)
    world = World(
        Calendar(context.timezone), context.currency, context.definitions, context.rates, context.thresholds
    )
    whose = Whose(of.keys, Identifiers(keys.rules))
    explainer = Explainer(world, map(_happened, events), now, whose)
    answer = explainer.explain(_condition(explainer, definitions, kind, name))
    defined = next(each for each in definitions if _is(each, kind, name))
    return Told(of, what, f"{name_of(defined)}/{defined.version}", now, context.timezone, answer)


def named(definitions: Sequence[Defined], what: str) -> tuple[str, str]:
    """The kind and the name that are meant; of stage and value, the name is the stage's, or nothing.

    ConfigError where there is no such, or there are several.
    """
    names = [*map(name_of, definitions), *(f"stage/{stage}" for stage in STAGES)]
    kind, _, name = meant(names, what, WHERE, "nothing in force is named {}").partition("/")
    if kind in ("lifecycle", "value"):
        return ("stage" if kind == "lifecycle" else kind), ""
    return kind, name


def _condition(explainer: Explainer, definitions: Sequence[Defined], kind: str, name: str) -> c.Condition:
    """What is asked, as a condition: of a tag, a tier and the stage, that it is what it is."""
    match kind:
        case "segment":
            return c.InSegment(segment=name)
        case "role":
            return c.HasRole(role=name)
        case "tag":
            value = explainer.tag(name)
            return c.Tagged(tag=c.TagTest(name=name, is_=None if value is None else (value,)))
        case "value":
            tiers = [tier.tier for d in definitions if isinstance(d, Value) for tier in d.tiers]
            tier = explainer.tier()
            return c.Tier(tier=tuple(tiers) if tier is None else (tier,))
    return c.InStage(stage=cast("Any", (name or explainer.stage(),)))


def _is(definition: Defined, kind: str, name: str) -> bool:
    if kind == "stage":
        return isinstance(definition, Lifecycle)
    return definition.kind == kind and (kind == "value" or definition.name == name)


def _happened(event: Known) -> Happened:
    """An event with what it says of two identifiers, which the views tell by its type alone."""
    keys, body = event
    says = SAYS.get(body["type"])
    if says is not None and len(keys) > 1:
        body = {**body, "says": [says, *keys[:2]]}
    return Happened(keys, cast("EventBody", body))


def _logical_at(client: Client, of: Customer) -> int:
    rows = client.execute(
        "SELECT toUnixTimestamp64Milli(logical_at) FROM profiles_raw FINAL WHERE customer_id = %(id)s",
        {"id": of.id},
    )
    return int(rows[0][0]) if rows else 0


def moment(at: int, timezone: str) -> str:
    """An instant of the deployment's time zone, ISO; beyond the calendar, `never`."""
    zone = Calendar(timezone).zone
    try:
        return datetime.fromtimestamp(at / 1000, zone).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return "never"
