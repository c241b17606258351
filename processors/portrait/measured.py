"""What a leaf of a condition found: a count, a sum, a date, a value; as JSON has it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from processors.calendar import EPOCH
from processors.portrait.compiled import leaf_of
from processors.portrait.known import is_of, namespaces_of
from processors.portrait.scoring import Scoring
from processors.portrait.subject import Subject
from processors.portrait.told import Asked, chain_of, told
from processors.portrait.windows import COUNT, DISTINCT, MAX, SUM, Measure, window_of
from schemas import conditions as c
from schemas.leaves import HALVINGS, Leaf
from schemas.remembered import leaves_of
from schemas.values import date_of

MOST_SEEN = 5


def measured(node: c.Condition, asked: Asked, scoring: Scoring | None) -> Any:
    """What was found of a customer; None where there is nothing."""
    measure: Callable[[Any, Asked], Any] | None = _MEASURES.get(type(node))
    if measure is not None:
        return measure(node, asked)
    return _scored(node, asked.who, scoring)


def moment(at: int, who: Subject) -> str:
    """An instant in the deployment's time zone, ISO."""
    return datetime.fromtimestamp(at / 1000, who.calendar.zone).isoformat(timespec="seconds")


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else f"{number.normalize():f}"


def _window(node: c.Condition, measure: Measure, asked: Asked) -> Any:
    return window_of(node, measure, asked.context).total(asked.who)


def _did(node: c.Did, asked: Asked) -> int:
    if isinstance(node.did, c.DidOf):
        return int(_window(node, COUNT, asked))
    return _names(node.did, asked)


def _names(names: tuple[str, ...], asked: Asked) -> int:
    return sum(seen[0] for name, seen in asked.who.part["names"].items() if name in names)


def _count(node: c.Count, asked: Asked) -> int:
    totals = asked.who.part["books"]["totals"]
    match node.count.of:
        case "purchases":
            return totals["purchases"]
        case "contracts":
            return totals["contracts"]
        case "renewals":
            return totals["renewals"]
        case names:
            return _names(names, asked)


def _since(node: c.Since, asked: Asked) -> str | None:
    part, last = asked.who.part, node.since.last
    if last == "contract_end":
        return part["books"]["contract_end"]
    if last == "own":
        at = part["own_last"]
    else:
        at = max((seen[2] for name, seen in part["names"].items() if name in last), default=None)
    return None if at is None else moment(at, asked.who)


def _span(of: c.TimeOf, end: int, asked: Asked) -> str | None:
    state = leaf_of(asked.who, asked.context.key_of(Leaf("span", of.event, of.where)))
    return None if state is None else moment(state["b"][end], asked.who)


def _latest(node: c.Latest, asked: Asked) -> Any:
    state = leaf_of(asked.who, asked.context.key_of(leaves_of(node)[0]))
    values = [] if state is None else state["b"][2]
    return values[0] if len(values) == 1 else values or None


def _interest(node: c.Interest, asked: Asked) -> Any:
    """The weight of what was asked for, and of what is seen most."""
    state = leaf_of(asked.who, asked.context.key_of(leaves_of(node)[0]))
    if state is None:
        return None
    period = asked.who.today // node.interest.half_life_days
    weights = {
        value: sum(n * 2.0 ** (int(p) - period) for p, n in seen.items() if period - int(p) <= HALVINGS)
        for value, seen in state["b"].items()
    }
    ranked = sorted(weights, key=lambda value: (-weights[value], value))
    return {v: round(weights[v], 3) for n, v in enumerate(ranked) if n < MOST_SEEN or v in node.interest.is_}


def _sequence(node: c.Sequence, asked: Asked) -> list[str] | None:
    chain = chain_of(node, [told(leaf, asked) for leaf in leaves_of(node)])
    return [moment(happened.event["occurred_at"], asked.who) for happened in chain] or None


def _trait(name: str, asked: Asked) -> Any:
    stated = asked.who.part["traits"].get(name)
    return None if stated is None else stated[2]


def _age(node: c.Age, asked: Asked) -> int | None:
    born, today = date_of(_trait(node.age.trait, asked)), EPOCH + timedelta(days=asked.who.today)
    if born is None or born > today:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _identified(node: c.Identified, asked: Asked) -> list[str]:
    wanted = frozenset(node.identifier)
    return sorted({name for name in namespaces_of(asked.who) if is_of(name, wanted)})


def _revenue(_: c.Revenue, asked: Asked) -> str | None:
    return _plain(asked.who.revenue()[0])


def _scored(node: c.Condition, who: Subject, scoring: Scoring | None) -> Any:
    """The tier, or a score with what it measures."""
    if scoring is None or who.scores is None:
        return None
    if not isinstance(node, c.Score):
        return scoring.tier(who.scores)
    own = who.part["own_first"]
    measure: Any = None
    match node.score.of:
        case "relationship":
            measure = None if own is None else f"{who.today - who.calendar.day_of(own)} days"
        case "frequency":
            measure = f"{scoring.frequency.total(who)} times"
        case "monetary":
            measure = f"{_plain(who.revenue()[0])} {who.currency}"
    return {"score": getattr(who.scores, node.score.of), "of": measure}


_MEASURES: dict[type[c.Node], Callable[[Any, Asked], Any]] = {
    c.Did: _did, c.Count: _count, c.Since: _since,
    c.First: lambda node, asked: _span(node.first, 0, asked), c.Last: lambda node, asked: _span(node.last, 1, asked),
    c.Sum: lambda node, asked: _plain(_window(node, SUM, asked)),
    c.Max: lambda node, asked: _plain(_window(node, MAX, asked)),
    c.Distinct: lambda node, asked: _window(node, DISTINCT, asked),
    c.Latest: _latest, c.Interest: _interest, c.Sequence: _sequence,
    c.Trait: lambda node, asked: _trait(node.trait.name, asked), c.Age: _age, c.Identified: _identified,
    c.OnChannel: lambda node, asked: sum(
        n for name, n in asked.who.part["channels"].items() if name in node.channel.of
    ),
    c.Revenue: _revenue,
}  # fmt: skip
