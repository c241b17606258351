"""Conditions as expressions over the columns of a customer: facts of its profile, leaves, other labels."""

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

from projections.conditions import measures, values
from projections.conditions.parameters import Parameters
from projections.conditions.scan import Scan, rate
from schemas import conditions as c
from schemas.leaves import HALVINGS, MAX_INTERESTS, Leaf
from schemas.remembered import leaves_of
from schemas.semantics import REGISTRY

_EPOCH = date(1970, 1, 1)


class Scope(NamedTuple):
    """What conditions are compiled with. `labels`: kind/name -> its column; the lifecycle's is `stage`.

    The value's columns are those of its tier and, after it, of its scores: `value`, `relationship`, ...
    """

    scan: Scan
    parameters: Parameters
    labels: dict[str, str]


def compile_condition(condition: c.Condition, scope: Scope) -> str:
    """The condition as an expression of 0 and 1."""
    return OPERATORS[type(condition)](condition, scope)


def _joined(word: str, parts: tuple[c.Condition, ...], scope: Scope) -> str:
    return "(" + f" {word} ".join(f"({compile_condition(part, scope)})" for part in parts) + ")"


def _did(node: c.Did, scope: Scope) -> str:
    if not isinstance(node.did, c.DidOf):
        return f"hasAny(mapKeys(event_counts), {scope.parameters.texts(node.did)})"
    number = measures.count(_leaf(node), scope.scan)
    if node.did.exactly is not None:
        return f"{number} = {scope.parameters.of(node.did.exactly)}"
    least = 1 if node.did.at_least is None and node.did.at_most is None else node.did.at_least
    return _whole(number, least, node.did.at_most, scope)


def _whole(number: str, least: int | None, most: int | None, scope: Scope) -> str:
    tests = [
        f"{number} {sign} {scope.parameters.of(bound)}"
        for sign, bound in ((">=", least), ("<=", most))
        if bound is not None
    ]
    return f"({' AND '.join(tests)})"


def _count(node: c.Count, scope: Scope) -> str:
    of, p = node.count.of, scope.parameters
    names = () if isinstance(of, str) else sorted(set(of))
    number = of if isinstance(of, str) else " + ".join(f"event_counts[{p.of(name)}]" for name in names)
    return f"({number}) >= {p.of(node.count.at_least)}"


def _since(node: c.Since, scope: Scope) -> str:
    last, days = node.since.last, scope.parameters.of(node.since.days)
    if isinstance(last, str):
        day = {"own": "last_own_day", "contract_end": "contract_end_day"}[last]
    else:
        found = ", ".join(_last_days(last, scope))
        day = f"arrayMax(arrayFilter(x -> x IS NOT NULL, [{found}, NULL]))"
    return f"ifNull({day} + {days} <= today, 0)"


def _last_days(names: tuple[str, ...], scope: Scope) -> list[str]:
    """Registered names together; of the others, those that the profile did not forget."""
    registered = tuple(name for name in names if name in REGISTRY)
    found = [measures.last_day_of(registered, scope.scan)] if registered else []
    for name in sorted({*names} - REGISTRY.keys()):
        day = measures.last_day_of((name,), scope.scan)
        found.append(f"if(mapContains(event_counts, {scope.parameters.of(name)}), {day}, NULL)")
    return found


def _span(of: c.TimeOf, day: str, scope: Scope) -> str:
    p, within = scope.parameters, of.within
    if isinstance(within, c.Between):
        bounds = (p.of((each - _EPOCH).days) for each in (within.from_, within.to))
        return f"ifNull({day} BETWEEN {' AND '.join(bounds)}, 0)"
    if isinstance(within, c.LastDays):
        return f"ifNull(today < {day} + {p.of(within.last_days)}, 0)"
    return f"ifNull(today >= {day} + {p.of(within.more_than_days_ago)}, 0)"


def _sum(node: c.Sum, scope: Scope) -> str:
    number = measures.total(_leaf(node), scope.scan)
    return values.between(number, node.sum.at_least, node.sum.at_most, scope.parameters)


def _max(node: c.Max, scope: Scope) -> str:
    number = measures.greatest(_leaf(node), scope.scan)
    return f"ifNull({values.between(number, node.max.at_least, node.max.at_most, scope.parameters)}, 0)"


def _distinct(node: c.Distinct, scope: Scope) -> str:
    number = measures.distinct(_leaf(node), scope.scan)
    return _whole(number, node.distinct.at_least, node.distinct.at_most, scope)


def _latest(node: c.Latest, scope: Scope) -> str:
    passed = measures.latest(_leaf(node), node.latest, scope.scan)
    return f"ifNull({passed}, {int(node.latest.exists is False)})"


def _interest(node: c.Interest, scope: Scope) -> str:
    of, p = node.interest, scope.parameters
    column = measures.interests(_leaf(node), scope.scan)
    texts, scores = (f"arraySlice({column}.{place}, 1, {MAX_INTERESTS})" for place in (1, 2))
    tests = [
        f"has({p.texts(of.is_)}, x)",
        f"s >= {p.of(1 if of.at_least is None else of.at_least << HALVINGS)}",
    ]
    if of.top is not None:
        better = f"arrayCount((y, t) -> t > s OR (t = s AND y < x), {texts}, {scores})"
        tests.append(f"{better} < {p.of(of.top)}")
    return f"arrayExists((x, s) -> {' AND '.join(tests)}, {texts}, {scores})"


def _sequence(node: c.Sequence, scope: Scope) -> str:
    columns = [measures.times(leaf, scope.scan) for leaf in leaves_of(node)]
    number = len(node.sequence.steps)
    without = columns[number] if node.sequence.without else None
    return measures.follows(columns[:number], scope.parameters.of(node.sequence.within.ms), without)


def _trait(node: c.Trait, scope: Scope) -> str:
    raws = values.raws("traits", (node.trait.name,), scope.parameters)
    texts = values.texts(raws)
    return values.passes(node.trait, raws, texts, values.numbers(texts), scope.parameters)


def _age(node: c.Age, scope: Scope) -> str:
    born = values.day_as_number(f"JSONExtractRaw(traits, {scope.parameters.of(node.age.trait)})")
    years = f"intDiv(toYYYYMMDD(toDate32(today)) - {born}, 10000)"
    bounds = _whole(years, node.age.at_least or 0, node.age.at_most, scope)
    return f"({born} BETWEEN 1 AND toYYYYMMDD(toDate32(today)) AND {bounds})"


def _identifier(node: c.Identified, scope: Scope) -> str:
    wanted = scope.parameters.texts(node.identifier)
    namespace = "substring(k, 1, position(k, ':') - 1)"
    named = f"has({wanted}, {namespace}) OR has({wanted}, splitByChar('/', {namespace})[1])"
    return f"arrayExists(k -> {named}, keys)"


def _channel(node: c.OnChannel, scope: Scope) -> str:
    number = " + ".join(f"channels[{scope.parameters.of(name)}]" for name in sorted(set(node.channel.of)))
    return f"({number}) >= {scope.parameters.of(node.channel.at_least)}"


def revenue(scope: Scope) -> str:
    """Net revenue in the deployment's currency, Decimal(76, 18)."""
    worth = f"toDecimal256(amount, 9) * {rate('currency', scope.scan.rates, scope.parameters)}"
    amounts = "mapKeys(revenue_by_currency), mapValues(revenue_by_currency)"
    return f"arraySum((currency, amount) -> {worth}, {amounts})"


def _revenue(node: c.Revenue, scope: Scope) -> str:
    return values.between(revenue(scope), node.revenue.at_least, node.revenue.at_most, scope.parameters)


def _tier(node: c.Tier, scope: Scope) -> str:
    return f"{scope.labels['value']} IN {scope.parameters.texts(node.tier)}"


def _score(node: c.Score, scope: Scope) -> str:
    score = scope.labels[node.score.of]
    return f"({score} > 0 AND {_whole(score, node.score.at_least, node.score.at_most, scope)})"


def _stage(node: c.InStage, scope: Scope) -> str:
    return f"{scope.labels['stage']} IN {scope.parameters.texts(node.stage)}"


def _tag(node: c.Tagged, scope: Scope) -> str:
    column = scope.labels[f"tag/{node.tag.name}"]
    return f"{column} IN {scope.parameters.texts(node.tag.is_)}" if node.tag.is_ else f"{column} != ''"


def _leaf(node: c.Condition) -> Leaf:
    (leaf,) = leaves_of(node)
    return leaf


OPERATORS: dict[type[c.Node], Callable[[Any, Scope], str]] = {
    c.All: lambda node, scope: _joined("AND", node.all, scope),
    c.Any_: lambda node, scope: _joined("OR", node.any, scope),
    c.Not: lambda node, scope: f"not({compile_condition(node.not_, scope)})",
    c.Did: _did, c.Count: _count, c.Since: _since,
    c.First: lambda node, scope: _span(node.first, measures.first_day(_leaf(node), scope.scan), scope),
    c.Last: lambda node, scope: _span(node.last, measures.last_day(_leaf(node), scope.scan), scope),
    c.Sum: _sum, c.Max: _max, c.Distinct: _distinct, c.Latest: _latest, c.Interest: _interest,
    c.Sequence: _sequence, c.Trait: _trait, c.Age: _age, c.Identified: _identifier, c.OnChannel: _channel,
    c.Revenue: _revenue, c.Tier: _tier, c.Score: _score, c.InStage: _stage, c.Tagged: _tag,
    c.InSegment: lambda node, scope: scope.labels[f"segment/{node.segment}"],
    c.HasRole: lambda node, scope: scope.labels[f"role/{node.role}"],
}  # fmt: skip
"""How each operator is written."""
