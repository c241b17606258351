"""The definitions in force together, compiled: each a rule that gives a label its value, in an order."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from processors.portrait.compile import compile_condition
from processors.portrait.compiled import Compiled, Context, NextChange, earliest, never
from processors.portrait.index import Builder, Index
from processors.portrait.scoring import Scoring, scoring_of
from schemas import conditions as c
from schemas.graph import Defined, conditions_of, name_of, ordered, references
from schemas.leaves import Leaf, digest_of
from schemas.lifecycle import Lifecycle
from schemas.portrait import TagRules, Thresholds, Value
from schemas.remembered import leaves_of, nodes_of

STAGE, VALUE = "lifecycle", "value"
"""Ids of the two that are there once; the others' are kind/name."""


class Rule(NamedTuple):
    """One definition. `values`: the first whose test holds is the label's, without a test it always does."""

    id: str
    label: str  # kind/name
    key: str  # kind/name/version
    version: int
    values: tuple[tuple[str, Compiled | None], ...]
    scoring: Scoring | None
    needs: frozenset[str]
    timed: bool


class Portrait(NamedTuple):
    """All rules in an order in which each comes after what it needs.

    `places`: of each rule, by its id; `labelled`: by its label. `needing`: by an id, the places of those that need it.
    `touching`: which of them an event can touch. `timed`: ids of those that time can change. `silence`: the fewest days
    of silence that any asks for. `lifecycle`: the key of that in force.
    """

    rules: tuple[Rule, ...]
    places: Mapping[str, int]
    labelled: Mapping[str, int]
    needing: Mapping[str, tuple[int, ...]]
    touching: Index
    timed: frozenset[str]
    silence: int | None
    labels: frozenset[str]
    lifecycle: str
    currency: str
    rates: Mapping[str, Decimal]


def compile_portrait(
    definitions: Iterable[Defined],
    context: Context,
    currency: str,
    rates: Mapping[str, Decimal] | None = None,
    thresholds: Thresholds | None = None,
) -> Portrait:
    """The portrait that these definitions draw; graphlib.CycleError where they need each other in a circle."""
    known, builder = ordered(definitions), Builder(context)
    rules = tuple(_rule(definition, context, thresholds) for definition in known)
    for definition, rule in zip(known, rules, strict=True):
        for _, condition in conditions_of(definition):
            builder.condition(rule.id, condition)
        if isinstance(definition, Value):
            builder.value(rule.id, definition.frequency)
    silences = [
        node.since.days
        for d in known
        for node in _nodes(d)
        if isinstance(node, c.Since) and node.since.last == "own"
    ]
    return Portrait(
        rules,
        {rule.id: place for place, rule in enumerate(rules)},
        {rule.label: place for place, rule in enumerate(rules)},
        {rule.id: tuple(n for n, other in enumerate(rules) if rule.id in other.needs) for rule in rules},
        builder.build(),
        frozenset(rule.id for rule in rules if rule.timed),
        min(silences, default=None),
        frozenset(rule.label for rule in rules if rule.id != STAGE),
        next((rule.key for rule in rules if rule.id == STAGE), ""),
        currency,
        rates or {},
    )


def leaves(definitions: Iterable[Defined]) -> dict[str, Leaf]:
    """By digest, all leaves that definitions need."""
    found = (leaf for d in definitions for node in _nodes(d) for leaf in leaves_of(node))
    return {digest_of(leaf): leaf for leaf in found}


def _nodes(definition: Defined) -> Iterable[c.Condition]:
    if isinstance(definition, Value):
        yield c.Did(did=definition.frequency)
    for _, condition in conditions_of(definition):
        yield from nodes_of(condition)


def _id(kind: str, name: str) -> str:
    return kind if kind in (STAGE, VALUE) else f"{kind}/{name}"


def _rule(definition: Defined, context: Context, thresholds: Thresholds | None) -> Rule:
    scoring = None
    if isinstance(definition, Value):
        mine = thresholds if thresholds is not None and thresholds.name == definition.name else None
        scoring = scoring_of(definition, mine, context)
    values = _values(definition, context)
    changes: list[NextChange] = [compiled.next_change for _, compiled in values if compiled is not None]
    changes += [scoring.next_change] if scoring else []
    return Rule(
        _id(definition.kind, definition.name),
        name_of(definition),
        f"{name_of(definition)}/{definition.version}",
        definition.version,
        values,
        scoring,
        frozenset(_id(needed.kind, needed.name) for needed in references(definition)),
        earliest(changes) is not never,
    )


def _values(definition: Defined, context: Context) -> tuple[tuple[str, Compiled | None], ...]:
    match definition:
        case Value():
            return ()
        case Lifecycle():
            return tuple(
                (rule.stage, None if rule.when is None else compile_condition(rule.when, context))
                for rule in definition.stages
            )
        case TagRules():
            return tuple((each.value, compile_condition(each.when, context)) for each in definition.values)
    return (("", compile_condition(definition.when, context)),)
