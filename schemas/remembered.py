"""Which leaves a condition needs: what must be remembered of events so that it can be answered."""

from collections.abc import Iterator

from schemas.conditions import (
    All,
    Any_,
    Between,
    Condition,
    Did,
    DidOf,
    Distinct,
    DistinctOf,
    First,
    Interest,
    Last,
    LastDays,
    Latest,
    Max,
    MeasureOf,
    Not,
    Sequence,
    Sum,
)
from schemas.leaves import Leaf, Measure


def nodes_of(condition: Condition) -> Iterator[Condition]:
    """The condition and all that it is made of, each before its own parts."""
    yield condition
    if isinstance(condition, All | Any_):
        for part in condition.all if isinstance(condition, All) else condition.any:
            yield from nodes_of(part)
    elif isinstance(condition, Not):
        yield from nodes_of(condition.not_)


def leaves_of(node: Condition) -> tuple[Leaf, ...]:
    """The leaves of one node, without those of its parts; of a sequence one a step, then that of `without`."""
    leaf: Leaf | None = None
    match node:
        case Did():
            leaf = _windowed("count", node.did) if isinstance(node.did, DidOf) else None
        case Sum():
            leaf = _windowed("sum", node.sum, node.sum.property)
        case Max():
            leaf = _windowed("max", node.max, node.max.property)
        case Distinct():
            leaf = _windowed("distinct", node.distinct, node.distinct.property)
        case First() | Last():
            of = node.first if isinstance(node, First) else node.last
            leaf = Leaf("span", of.event, of.where)
        case Latest():
            leaf = Leaf("latest", node.latest.event, node.latest.where, node.latest.property)
        case Interest():
            seen = node.interest
            leaf = Leaf("interest", seen.event, seen.where, seen.property, period=seen.half_life_days)
        case Sequence():
            steps = [*node.sequence.steps, *([node.sequence.without] if node.sequence.without else [])]
            return tuple(Leaf("times", events.event, events.where) for events in steps)
    return () if leaf is None else (leaf,)


def _windowed(measure: Measure, of: DidOf | MeasureOf | DistinctOf, path: str = "") -> Leaf:
    within = of.within
    days = within.last_days if isinstance(within, LastDays) else 0
    between = (within.from_, within.to) if isinstance(within, Between) else None
    return Leaf(measure, of.event, of.where, path, days, between)
