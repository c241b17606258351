"""Labels in the tests: random models and logs of what identifiers did, and what must come of them."""

from collections.abc import Collection
from typing import Any, NamedTuple

import orjson

from processors.chunk import _KEYS
from processors.definitions_log import Library
from processors.messages import Change
from processors.portrait import model
from processors.portrait.deltas import deltas
from processors.rules.seen import digest_of
from schemas.changes import SEGMENT_CHANGED, customer_id
from schemas.definitions import key_of
from schemas.leaves import LeafStates, join
from schemas.portrait import Model, Rates
from tests import identity_oracle
from tests.identity_oracle import Rules, Stated
from tests.portrait_oracle import Customer, labels, scores, stage
from tests.portrait_oracle import World as Definitions
from tests.portrait_strategies import NOON, Dice, history
from tests.processors.identities import ORDER, POOL, SMALL
from tests.processors.machine import library
from tests.processors.world import Partition


class Known(NamedTuple):
    """What is found of one customer."""

    labels: dict[str, str]
    stage: str
    scores: tuple[int, ...] | None


def log_of(d: Dice, zone: str, most: int = 14) -> list[Stated]:
    """Events of a few identifiers, several of them together at times."""
    found = []
    for event in history(d, most=most, zone=zone):
        pool = POOL if d.number(0, 1) else POOL[:4]
        keys = {d.pick(pool) for _ in range(d.pick((1, 1, 1, 2, 2, 3)))}
        found.append(stated_of(event, keys))
    return found


def stated_of(event: Any, keys: set[str]) -> Stated:
    """The event on these identifiers."""
    ordered = sorted(keys, key=lambda key: (ORDER.index(identity_oracle.namespace(key)), key))
    identifiers: dict[str, list[str]] = {}
    for key in ordered:
        namespace, _, value = key.partition(":")
        identifiers.setdefault(namespace, []).append(value)
    return Stated(ordered, {**event, "identifiers": identifiers, "received_at": NOON})


def model_of(definitions: Definitions, number: int, before: Model | None = None) -> Model:
    """A model of these definitions; leaves that are remembered already keep their number."""
    known = {} if before is None else before.leaves
    numbers = {digest: known.get(digest, number) for digest in model.leaves(definitions.definitions)}
    keys = tuple(key_of(each) for each in definitions.definitions)
    return Model(kind="model", version=number, definitions=keys, leaves=numbers)


def rates_of(definitions: Definitions) -> Rates:
    return Rates(kind="rates", name="main", version=1, rates=dict(definitions.rates))


def library_of(definitions: Definitions, *others: Any) -> Library:
    """A deployment's, with all of these."""
    thresholds = [] if definitions.thresholds is None else [definitions.thresholds]
    return library(
        definitions.timezone, *definitions.definitions, rates_of(definitions), *thresholds, *others
    )


def in_force(definitions: Definitions, number: int) -> dict[str, str]:
    """What is in force where a model is."""
    found = {"identity": SMALL, "model": f"model/main/{number}", "rates": "rates/main/1"}
    if definitions.thresholds is not None:
        found["thresholds"] = key_of(definitions.thresholds)
    return found


def found(states: dict[str, Any]) -> dict[str, Known]:
    """What was published of every customer."""
    known = {}
    for state in states.values():
        for id_, one in state.get("published", {}).items():
            if one["members"]:
                labels = {name: entry[0] for name, entry in one.get("labels", {}).items()}
                known[id_] = Known(labels, one["stage"], tuple(one["scores"]) if "scores" in one else None)
            else:
                assert not one.keys() & {"labels", "scores", "left_out"}
    return known


def expected(log: list[Stated], rules: Rules, definitions: Definitions, now: int) -> dict[str, Known]:
    """What every customer must be."""
    known = {}
    for members, stated in identity_oracle.customers(log, rules)[0]:
        head = min(members, key=lambda key: identity_oracle.place(key, rules))
        events = [_own(event, members) for event in stated]
        who = Customer(events, now, definitions)
        known[customer_id(head)] = Known(labels(events, now, definitions), stage(who), scores(who))
    return known


def _own(event: Any, members: Collection[str]) -> Any:
    """The event with the identifiers of its customer, whoever stated them, and nobody else's."""
    own: dict[str, list[str]] = {}
    for member in members:
        namespace, _, value = member.partition(":")
        own.setdefault(namespace, []).append(value)
    return {**event, "identifiers": own}


def assert_replayed(changes: list[Change], states: dict[str, Any]) -> None:
    """Entering and leaving take turns, each once, and lead to the labels that are."""
    mine = [change for change in changes if change.type == SEGMENT_CHANGED]
    assert len({change.id for change in mine}) == len(mine), "a change was published twice"
    held: dict[str, dict[str, str]] = {}
    numbers: dict[str, int] = {}
    for change in mine:
        body, labels = change.body, held.setdefault(change.customer_id, {})
        name = f"{body['kind']}/{body['name']}"
        assert body["definition"].startswith(f"{name}/")
        numbers[change.customer_id] = numbers.get(change.customer_id, 0) + 1
        assert body["sequence"] == numbers[change.customer_id]
        if body["change"] == "entered":
            assert name not in labels, "entered twice"
            labels[name] = body["value"]
        else:
            assert labels.pop(name) == body["value"], "left what was not held"
    known = {id_: one.labels for id_, one in found(states).items() if one.labels}
    assert {id_: labels for id_, labels in held.items() if labels} == known


def backfills(partition: Partition, collecting: Model, library: Library) -> list[tuple[str, dict[str, Any]]]:
    """What the events below the marker state to the new leaves, as commands."""
    marker = next(
        n for n, r in enumerate(partition.events) if r.key == b"marker" and b"collecting" in (r.value or b"")
    )
    index = library.compile({**partition.position["in_force"], "collecting": key_of(collecting)}).leaves
    new = {f"{digest}.{n}" for digest, n in collecting.leaves.items() if n == collecting.version}
    joined: dict[str, LeafStates] = {}
    seen = set[str]()
    for record in partition.events[:marker]:
        assert record.key is not None
        if record.key in _KEYS:
            continue
        event = orjson.loads(record.value or b"")
        if (digest := f"{record.key!r} {digest_of(event)}") in seen or event["type"] in ("link", "split"):
            continue
        seen.add(digest)
        states = {key: state for key, state in deltas(event, index).items() if key in new}
        join(joined.setdefault(record.key.decode(), {}), states)
    return [
        (key, {"v": 1, "kind": "backfill", "primary": key, "leaves": states, "model": key_of(collecting)})
        for key, states in joined.items()
        if states
    ]


def leaves(states: dict[str, Any]) -> dict[str, LeafStates]:
    """Of every primary identifier, what is remembered."""
    return {
        primary: part["leaves"]
        for state in states.values()
        for primary, part in state.get("parts", {}).items()
        if part.get("leaves")
    }
