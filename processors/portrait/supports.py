"""What an answer could rest on: events to take away, in the order in which they are tried.

An answer that counts up rests on all that was counted; one that there is too much, on so much as is too much, the
newest first; one of the first, last or latest thing, on as many of these as must go until another answers. What rests
on nothing having happened has nothing to take away.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from processors.portrait.history import Happened
from processors.portrait.index import CONTRACTS, ORDERS
from processors.portrait.known import is_of
from processors.portrait.told import Asked, Sample, Told, chains, happened, remembered, spanned, told
from processors.portrait.whose import joins
from schemas import conditions as c
from schemas.books import Order, is_purchase
from schemas.identity import namespace_of
from schemas.remembered import leaves_of
from schemas.semantics import NOT_OWN, entry_of


class Try(NamedTuple):
    """Events to take away: all of them, or as few of the first as will do."""

    events: Sample
    whole: bool


def tries(node: c.Condition, holds: bool, asked: Asked) -> Iterator[Try]:
    """What to try for a leaf, the most telling first."""
    try_: Callable[[Any, bool, Asked], Iterator[Try]] = _TRIES[type(node)]
    yield from try_(node, holds, asked)


def _named(asked: Asked, names: Sequence[str] | frozenset[str]) -> Sample:
    return [h for h in asked.events if h.event["name"] in names]


def _counted(events: Sample, holds: bool) -> Iterator[Try]:
    """What counts up: all of it; or what is too much."""
    yield Try(events, whole=True) if holds else Try(events[::-1], whole=False)


def _did(node: c.Did, holds: bool, asked: Asked) -> Iterator[Try]:
    names = not isinstance(node.did, c.DidOf)
    yield from _counted(_named(asked, node.did) if names else happened(remembered(node, asked)), holds)  # type: ignore[arg-type]


def _count(node: c.Count, holds: bool, asked: Asked) -> Iterator[Try]:
    match node.count.of:
        case "purchases":
            if holds:
                yield Try(_purchases(asked), whole=True)
            yield Try(_taken_back(asked), whole=False)
        case "contracts":
            yield Try(_named(asked, CONTRACTS[:1]), whole=True)
        case "renewals":
            yield Try(_named(asked, CONTRACTS[1:]), whole=True)
        case names:
            yield Try(_named(asked, names), whole=True)


def _purchases(asked: Asked) -> Sample:
    """The orders that count."""
    orders = asked.who.part["books"]["orders"]
    found = _named(asked, ORDERS[:1])
    return [h for h in found if (order := _order(h, orders)) is not None and is_purchase(order)]


def _order(happened: Happened, orders: dict[str, Order]) -> Order | None:
    event = happened.event
    entry = entry_of(event["name"], event["properties"], event["message_id"])
    return None if entry is None else orders.get(f"{event['source']}/{entry.id}")


def _taken_back(asked: Asked) -> Sample:
    return _named(asked, ORDERS[1:])[::-1]


def _since(node: c.Since, holds: bool, asked: Asked) -> Iterator[Try]:
    match node.since.last:
        case "own":
            found = [h for h in asked.events if h.event["name"] not in NOT_OWN]
        case "contract_end":
            found = _named(asked, CONTRACTS)
            if not holds:
                yield Try(
                    sorted(found, key=lambda h: str(h.event["properties"].get("ends_at")))[::-1], whole=False
                )
        case names:
            found = _named(asked, names)
    yield from _counted(found, holds)


def _amounts(node: c.Sum | c.Max, asked: Asked) -> Sample:
    """The greatest amounts first, of equal ones the newest."""

    def worth(each: Told) -> tuple[Decimal, int]:
        amount = sum((asked.who.worth(amounts)[0] for amounts in each.states.values()), Decimal(0))
        return amount, each.happened.event["occurred_at"]

    return happened(sorted(remembered(node, asked), key=worth, reverse=True))


def _sum(node: c.Sum, holds: bool, asked: Asked) -> Iterator[Try]:
    falling = _amounts(node, asked)
    if holds:
        yield Try(happened(remembered(node, asked)), whole=True)
    yield Try(falling, whole=False)
    yield Try(falling[::-1], whole=False)


def _distinct(node: c.Distinct, holds: bool, asked: Asked) -> Iterator[Try]:
    found = remembered(node, asked)
    if holds:
        yield Try(happened(found), whole=True)
    often = Counter(value for each in found for value in each.states)
    rare = sorted(found, key=lambda each: min((often[value], value) for value in each.states))
    yield Try(happened(rare), whole=False)


def _interest(node: c.Interest, holds: bool, asked: Asked) -> Iterator[Try]:
    found, wanted = remembered(node, asked), {*node.interest.is_}
    if holds:
        yield Try([each.happened for each in found if not wanted.isdisjoint(each.states)], whole=True)
    yield Try([each.happened for each in found if wanted.isdisjoint(each.states)][::-1], whole=False)
    yield Try([each.happened for each in found if len(each.states) > 1][::-1], whole=False)


def _sequence(node: c.Sequence, holds: bool, asked: Asked) -> Iterator[Try]:
    found = [told(leaf, asked) for leaf in leaves_of(node)]
    steps = len(node.sequence.steps)
    if holds:
        yield Try(chains(node, found), whole=True)
        yield from (Try(happened(step), whole=True) for step in sorted(found[:steps], key=len))
    elif len(found) > steps:
        yield Try(happened(found[steps])[::-1], whole=False)


def _stating(trait: str, asked: Asked) -> Iterator[Try]:
    yield Try([h for h in asked.events if trait in h.event["traits"]][::-1], whole=False)


def _identified(node: c.Identified, holds: bool, asked: Asked) -> Iterator[Try]:
    """What joined such identifiers to the customer's others; or all that names them."""
    wanted, members = frozenset(node.identifier), asked.who.members
    if holds and members is not None:
        own = frozenset(members)
        some = frozenset(key for key in own if is_of(namespace_of(key), wanted))
        yield Try([h for h in asked.events if joins(h, some, own)], whole=True)
        yield Try([h for h in asked.events if not some.isdisjoint(h.keys)], whole=True)
    elif holds:
        naming = [h for h in asked.events if any(is_of(name, wanted) for name in h.event["identifiers"])]
        yield Try(naming, whole=True)


def _channel(node: c.OnChannel, holds: bool, asked: Asked) -> Iterator[Try]:
    yield from _counted([h for h in asked.events if h.event["channel"] in node.channel.of], holds)


def _revenue(_: c.Revenue, holds: bool, asked: Asked) -> Iterator[Try]:
    orders = _purchases(asked)
    if holds:
        yield Try(orders, whole=True)
    yield Try(_dearest(orders), whole=False)
    yield Try(_taken_back(asked), whole=False)


def _dearest(orders: Sample) -> Sample:
    def amount(happened: Happened) -> tuple[Decimal, int]:
        event = happened.event
        entry = entry_of(event["name"], event["properties"], event["message_id"])
        return Decimal((entry and entry.amount) or 0), event["occurred_at"]

    return sorted(orders, key=amount, reverse=True)


def _score(node: c.Score, _: bool, asked: Asked) -> Iterator[Try]:
    yield from _scored(node.score.of, asked)


def _scored(of: str, asked: Asked) -> Iterator[Try]:
    own = [h for h in asked.events if h.event["name"] not in NOT_OWN]
    if of == "monetary":
        yield Try(_dearest(_purchases(asked)), whole=False)
        yield Try(_taken_back(asked), whole=False)
    elif of == "frequency" and asked.frequency is not None:
        yield Try(happened(remembered(c.Did(did=asked.frequency), asked))[::-1], whole=False)
    yield Try(own, whole=False)


def _tier(_: c.Tier, __: bool, asked: Asked) -> Iterator[Try]:
    for of in ("monetary", "frequency", "relationship"):
        yield from _scored(of, asked)


_TRIES: dict[type[c.Node], Callable[[Any, bool, Asked], Iterator[Try]]] = {
    c.Did: _did, c.Count: _count, c.Since: _since, c.Sum: _sum, c.Distinct: _distinct, c.Interest: _interest,
    c.First: lambda node, _, asked: iter([Try(happened(spanned(node.first, asked)), whole=False)]),
    c.Last: lambda node, _, asked: iter([Try(happened(spanned(node.last, asked))[::-1], whole=False)]),
    c.Max: lambda node, _, asked: iter([Try(_amounts(node, asked), whole=False)]),
    c.Latest: lambda node, _, asked: iter([Try(happened(remembered(node, asked))[::-1], whole=False)]),
    c.Sequence: _sequence, c.Identified: _identified, c.OnChannel: _channel, c.Revenue: _revenue,
    c.Trait: lambda node, _, asked: _stating(node.trait.name, asked),
    c.Age: lambda node, _, asked: _stating(node.age.trait, asked),
    c.Score: _score, c.Tier: _tier,
}  # fmt: skip
