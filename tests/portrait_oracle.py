"""What a condition must answer: every operator, naively, over the raw list of one customer's canonical events.

Of the platform it shares only the tree of conditions, the meaning of values and of calendar days; what the facts are it
has from `tests/oracle.py`. Definitions refer to each other by recursion.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

from schemas import conditions as c
from schemas.lifecycle import Lifecycle
from schemas.portrait import Role, Segment, TagRules, Thresholds, Value
from schemas.values import MAX_VALUES, currency_of, date_of, number_of, text_of, values_of
from tests import oracle

Body = Mapping[str, Any]
Events = Sequence[Body]
Defined = Lifecycle | Value | Role | TagRules | Segment
EPOCH = date(1970, 1, 1)


class World(NamedTuple):
    """What is the same for all customers. `definitions`: all that are in force together."""

    timezone: str = "UTC"
    currency: str = "USD"
    rates: Mapping[str, Decimal] = {}
    thresholds: Thresholds | None = None
    definitions: tuple[Defined, ...] = ()


def holds(condition: c.Condition, events: Events, now: int, world: World = World()) -> bool:  # noqa: B008
    """Whether a condition holds of the customer who did all these events, and no others, at this time."""
    return answer(condition, Customer(events, now, world))


def answer(condition: c.Condition, who: "Customer") -> bool:
    """The same of a customer whose facts are computed once."""
    return _OPERATORS[type(condition)](condition, who)


def labels(events: Events, now: int, world: World) -> dict[str, str]:
    """kind/name -> value of every label: "" for segments and roles, a tag's value, a tier."""
    found, who = {}, Customer(events, now, world)
    for definition in world.definitions:
        if not isinstance(definition, Lifecycle):
            value = _label(definition, who)
            if value is not None:
                found[f"{definition.kind}/{definition.name}"] = value
    return found


def stage(who: "Customer") -> str:
    """The stage under the one lifecycle of these definitions."""
    (lifecycle,) = (each for each in who.world.definitions if isinstance(each, Lifecycle))
    return next(rule.stage for rule in lifecycle.stages if rule.when is None or answer(rule.when, who))


def measures(value: Value, who: "Customer") -> tuple[int, int, Decimal] | None:
    """Relationship, frequency and monetary; None for who never did anything of their own."""
    first = who.facts["own_first"]
    if first is None:
        return None
    frequency = sum(1 for e in who.matching(value.frequency) if who.within(e, value.frequency.within))
    return (who.today - who.day(first)).days, frequency, who.revenue()


def scores(who: "Customer") -> tuple[int, int, int] | None:
    """Relationship, frequency and monetary, 1 to 5; None where they have no value."""
    values = [each for each in who.world.definitions if isinstance(each, Value)]
    reached = who.world.thresholds
    if not values or reached is None or reached.name != values[0].name:
        return None
    measured = measures(values[0], who)
    if measured is None:
        return None
    bounds: list[tuple[Any, ...]] = [reached.relationship, reached.frequency, reached.monetary]
    r, f, m = (1 + sum(x > b for b in bs) for x, bs in zip(measured, bounds, strict=True))
    return r, f, m


class Customer:
    """One customer: its events, what the facts are, and when."""

    def __init__(self, events: Events, now: int, world: World) -> None:
        self.events, self.now, self.world = events, now, world
        self.facts = oracle.facts([dict(e) for e in events], world.timezone)
        self.today = self.day(now)

    def day(self, instant: int) -> date:
        return oracle.local_date(instant, self.world.timezone)

    def matching(self, of: c.Events) -> list[Body]:
        return [
            e
            for e in self.events
            if e["name"] in of.event and all(passes(f, _at(e, f.property)) for f in of.where)
        ]

    def within(self, e: Body, window: c.LastDays | c.Between | None) -> bool:
        return window is None or self.in_window(self.day(e["occurred_at"]), window)

    def in_window(self, day: date, window: c.LastDays | c.Between | c.MoreThanDays) -> bool:
        if isinstance(window, c.LastDays):
            return self.today - timedelta(days=window.last_days) < day <= self.today
        if isinstance(window, c.Between):
            return window.from_ <= day <= window.to
        return self.today >= day + timedelta(days=window.more_than_days_ago)

    def money(self, amount: Decimal, currency: str) -> Decimal | None:
        if currency in ("", self.world.currency):
            return amount
        rate = self.world.rates.get(currency)
        with localcontext() as exact:
            exact.prec = 80
            return None if rate is None else amount * rate

    def revenue(self) -> Decimal:
        amounts = [self.money(amount, currency) for currency, amount in self.facts["revenue"].items()]
        return _sum([amount for amount in amounts if amount is not None])

    def amounts(self, of: c.MeasureOf) -> list[Decimal]:
        """Numbers of a property in the deployment's currency; those that have no rate are left out."""
        found = [
            self.money(number, currency_of(e["properties"]))
            for e in self.matching(of)
            if self.within(e, of.within)
            for value in _at(e, of.property)
            if (number := number_of(value)) is not None
        ]
        return [amount for amount in found if amount is not None]


def passes(test: c.ValueTest, values: list[Any]) -> bool:
    """Whether the values of a property, or a trait, pass a test."""
    texts = [text_of(value) for value in values]
    if test.exists is not None:
        return bool(values) is test.exists
    if test.is_ is not None:
        return test.is_ in texts
    if test.is_not is not None:
        return bool(values) and test.is_not not in texts
    if test.one_of is not None:
        return any(one in texts for one in test.one_of)
    numbers = [number for value in values if (number := number_of(value)) is not None]
    return any(_between(number, test) for number in numbers)


def _between(number: Any, bounds: Any) -> bool:
    return (bounds.at_least is None or number >= bounds.at_least) and (
        bounds.at_most is None or number <= bounds.at_most
    )


def _sum(amounts: list[Decimal]) -> Decimal:
    with localcontext() as exact:
        exact.prec = 80
        return sum(amounts, Decimal(0))


def _at(e: Body, path: str) -> list[Any]:
    return values_of(e["properties"], tuple(path.split(".")))


def _did(node: c.Did, who: Customer) -> bool:
    of = node.did
    if not isinstance(of, c.DidOf):
        return any(e["name"] in of for e in who.events)
    number = sum(1 for e in who.matching(of) if who.within(e, of.within))
    if of.exactly is not None:
        return number == of.exactly
    if of.at_least is None and of.at_most is None:
        return number >= 1
    return _between(number, of)


def _count(node: c.Count, who: Customer) -> bool:
    of = node.count.of
    number = who.facts[of] if isinstance(of, str) else sum(e["name"] in of for e in who.events)
    return bool(number >= node.count.at_least)


def _since(node: c.Since, who: Customer) -> bool:
    last, days = node.since.last, node.since.days
    if last == "own":
        found = None if who.facts["own_last"] is None else who.day(who.facts["own_last"])
    elif last == "contract_end":
        found = None if who.facts["contract_end"] is None else date.fromisoformat(who.facts["contract_end"])
    else:
        found = max((who.day(e["occurred_at"]) for e in who.events if e["name"] in last), default=None)
    return found is not None and (who.today - found).days >= days


def _span(of: c.TimeOf, who: Customer, which: Callable[[list[int]], int]) -> bool:
    times = [e["occurred_at"] for e in who.matching(of)]
    return bool(times) and who.in_window(who.day(which(times)), of.within)


def _distinct(node: c.Distinct, who: Customer) -> bool:
    of = node.distinct
    texts = {
        text
        for e in who.matching(of)
        if who.within(e, of.within)
        for value in _at(e, of.property)
        if (text := text_of(value)) is not None
    }
    return _between(min(len(texts), 1000), of)


def _latest(node: c.Latest, who: Customer) -> bool:
    stated = [e for e in who.matching(node.latest) if _at(e, node.latest.property)]
    if not stated:
        return passes(node.latest, [])
    last = max(stated, key=lambda e: (e["occurred_at"], e["message_id"]))
    return passes(node.latest, _at(last, node.latest.property))


def _interest(node: c.Interest, who: Customer) -> bool:
    of = node.interest
    seen = Counter[str]()
    for e in who.matching(of):
        period = (who.day(e["occurred_at"]) - EPOCH).days // of.half_life_days
        age = (who.today - EPOCH).days // of.half_life_days - period
        for value in _at(e, of.property):
            if (text := text_of(value)) is not None:
                seen[text] += 2 ** (24 - age) if age <= 24 else 0
    kept = sorted(seen)[:100]
    ranked = [text for text in sorted(kept, key=lambda text: (-seen[text], text)) if seen[text]]
    return any(
        text in ranked
        and (of.top is None or ranked.index(text) < of.top)
        and (of.at_least is None or seen[text] >= of.at_least * 2**24)
        for text in of.is_
    )


def _sequence(node: c.Sequence, who: Customer) -> bool:
    def times(of: c.Events | None) -> list[int]:
        return sorted(e["occurred_at"] for e in who.matching(of))[-100:] if of else []

    first, *others = (times(step) for step in node.sequence.steps)
    without = times(node.sequence.without)
    for begun in first:
        at = begun
        for step in others:
            at = min((t for t in step if t > at), default=-1)
            if at == -1:
                break
        else:
            if at - begun <= node.sequence.within.ms and not any(begun < t < at for t in without):
                return True
    return False


def _trait(node: c.Trait, who: Customer) -> bool:
    return passes(node.trait, values_of(who.facts["traits"], (node.trait.name,)))


def _age(node: c.Age, who: Customer) -> bool:
    born = date_of(who.facts["traits"].get(node.age.trait))
    if born is None or born > who.today:
        return False
    years = who.today.year - born.year - ((who.today.month, who.today.day) < (born.month, born.day))
    return _between(years, node.age)


def _identifier(node: c.Identified, who: Customer) -> bool:
    """`wechat_openid` is any account's, `wechat_openid/APPID` one account's."""
    known = {namespace for e in who.events for namespace, values in e["identifiers"].items() if values}
    return any(
        one in (namespace, namespace.partition("/")[0]) for namespace in known for one in node.identifier
    )


def _channel(node: c.OnChannel, who: Customer) -> bool:
    return sum(e["channel"] in node.channel.of for e in who.events) >= node.channel.at_least


def _named(kind: type[Any], name: str, who: Customer) -> str | None:
    for definition in who.world.definitions:
        if isinstance(definition, kind) and name in ("", definition.name):
            return _label(definition, who)
    return None


def _label(definition: Any, who: Customer) -> str | None:
    """The label's value, "" where it has none of its own, None where the customer does not have it."""
    if isinstance(definition, TagRules):
        return next((v.value for v in definition.values if answer(v.when, who)), None)
    if isinstance(definition, Value):
        found = scores(who)
        return None if found is None else next(t.tier for t in definition.tiers if sum(found) >= t.points)
    return "" if answer(definition.when, who) else None


def _tag(node: c.Tagged, who: Customer) -> bool:
    value = _named(TagRules, node.tag.name, who)
    return value is not None and (node.tag.is_ is None or value in node.tag.is_)


def _score(node: c.Score, who: Customer) -> bool:
    found = scores(who)
    place = ("relationship", "frequency", "monetary").index(node.score.of)
    return found is not None and _between(found[place], node.score)


def _amount(node: c.Sum | c.Max, who: Customer) -> bool:
    if isinstance(node, c.Sum):
        return _between(_sum(who.amounts(node.sum)), node.sum)
    amounts = who.amounts(node.max)
    return bool(amounts) and _between(max(amounts), node.max)


_OPERATORS: dict[type[c.Node], Callable[[Any, Customer], bool]] = {
    c.All: lambda node, who: all(answer(x, who) for x in node.all),
    c.Any_: lambda node, who: any(answer(x, who) for x in node.any),
    c.Not: lambda node, who: not answer(node.not_, who),
    c.Did: _did, c.Count: _count, c.Since: _since, c.Distinct: _distinct, c.Latest: _latest,
    c.First: lambda node, who: _span(node.first, who, min),
    c.Last: lambda node, who: _span(node.last, who, max),
    c.Sum: _amount, c.Max: _amount, c.Interest: _interest, c.Sequence: _sequence, c.Trait: _trait, c.Age: _age,
    c.Identified: _identifier, c.OnChannel: _channel, c.Score: _score, c.Tagged: _tag,
    c.Revenue: lambda node, who: _between(who.revenue(), node.revenue),
    c.Tier: lambda node, who: _named(Value, "", who) in node.tier,
    c.InStage: lambda node, who: stage(who) in node.stage,
    c.InSegment: lambda node, who: _named(Segment, node.segment, who) is not None,
    c.HasRole: lambda node, who: _named(Role, node.role, who) is not None,
}  # fmt: skip
assert set(_OPERATORS) == set(c.OPERATORS.values())
assert MAX_VALUES == 100
