"""Definitions as columns of customers, in layers: each of the columns of the layers before it."""

from collections.abc import Iterable

from projections.conditions import measures
from projections.conditions.operators import Scope, compile_condition, revenue
from schemas.conditions import Did
from schemas.graph import Defined, name_of, ordered, references
from schemas.lifecycle import Lifecycle
from schemas.portrait import Role, Segment, TagRules, Thresholds, Value
from schemas.remembered import leaves_of

Layer = dict[str, str]
"""Column -> its expression."""
SCORES = ("relationship", "frequency", "monetary")


def needed(targets: Iterable[Defined], definitions: Iterable[Defined]) -> list[Defined]:
    """The targets and all that they need of these definitions, each after what it needs."""
    known = {_referred(each): each for each in definitions}
    found: dict[str, Defined] = {}
    waiting = list(targets)
    while waiting:
        one = waiting.pop()
        if found.setdefault(name_of(one), one) is one:
            names = {f"{r.kind}/{r.name}" for r in references(one)}
            waiting += [known[name] for name in names if name_of(known[name]) not in found]
    return ordered(found.values())


def layers(
    definitions: Iterable[Defined], scope: Scope, thresholds: Thresholds | None, prefix: str
) -> list[Layer]:
    """The columns of definitions that stand each after what it needs; `scope.labels` learns where they are.

    Their names begin with the prefix.
    """
    found: list[Layer] = []
    depths: dict[str, int] = {}
    for definition in definitions:
        depth = 1 + max((depths[f"{r.kind}/{r.name}"] for r in references(definition)), default=-1)
        depths[_referred(definition)] = depth
        while len(found) <= depth:
            found.append({})
        found[depth] |= _columns(definition, scope, thresholds, f"{prefix}{sum(map(len, found))}")
    return found


def column_of(definition: Defined, scope: Scope) -> str:
    """Where a definition's label is: 0 or 1 of segments and roles; else a text, empty where there is none."""
    return scope.labels[{"lifecycle": "stage", "value": "value"}.get(definition.kind, name_of(definition))]


def _referred(definition: Defined) -> str:
    """What references call it: of a lifecycle and a value there is one."""
    return f"{definition.kind}/{'' if definition.kind in ('lifecycle', 'value') else definition.name}"


def _columns(definition: Defined, scope: Scope, thresholds: Thresholds | None, column: str) -> Layer:
    p = scope.parameters
    match definition:
        case Segment() | Role():
            scope.labels[name_of(definition)] = column
            return {column: compile_condition(definition.when, scope)}
        case TagRules():
            scope.labels[name_of(definition)] = column
            rules = [f"{compile_condition(v.when, scope)}, {p.of(v.value)}" for v in definition.values]
            return {column: f"multiIf({', '.join(rules)}, '')"}
        case Lifecycle():
            scope.labels["stage"] = column
            rules = [
                f"{compile_condition(r.when, scope)}, {p.of(r.stage)}" for r in definition.stages if r.when
            ]
            return {column: f"multiIf({', '.join(rules)}, {p.of(definition.stages[-1].stage)})"}
        case Value():
            return _value(definition, scope, thresholds, column)


def measured(value: Value, scope: Scope) -> tuple[str, str, str]:
    """Relationship, frequency and monetary of who did anything of their own."""
    (leaf,) = leaves_of(Did(did=value.frequency))
    return "(today - first_own_day)", measures.count(leaf, scope.scan), revenue(scope)


def _value(value: Value, scope: Scope, thresholds: Thresholds | None, column: str) -> Layer:
    p, scores = scope.parameters, [f"{column}_{score}" for score in SCORES]
    scope.labels.update({"value": column, **dict(zip(SCORES, scores, strict=True))})
    if thresholds is None or thresholds.name != value.name:
        return {**dict.fromkeys(scores, "0"), column: "''"}
    found: Layer = {}
    for name, score, number in zip(SCORES, scores, measured(value, scope), strict=True):
        bounds = (f"toDecimal256({p.of(f'{bound:f}')}, 9)" for bound in getattr(thresholds, name))
        passed = " + ".join(f"({number} > {bound})" for bound in bounds)
        found[score] = f"if(first_own_day IS NULL, 0, 1 + ifNull({passed}, 0))"
    points = " + ".join(scores)
    tiers = ", ".join(f"{points} >= {p.of(tier.points)}, {p.of(tier.tier)}" for tier in value.tiers)
    found[column] = f"multiIf({points} = 0, '', {tiers}, '')"
    return found
