"""What a condition says, in a line that people read."""

from collections.abc import Callable, Iterable
from typing import Any

from schemas import conditions as c

_SINCE = {"own": "anything of their own doing", "contract_end": "the end of the latest contract"}


def says(node: c.Condition) -> str:
    """The condition without its parts."""
    say: Callable[[Any], str] = _SAYS[type(node)]
    return say(node)


def _or(names: Iterable[str]) -> str:
    return " or ".join(names)


def _events(of: c.Events) -> str:
    where = ", ".join(f"{one.property} {tested(one)}" for one in of.where)
    return f"{_or(of.event)}{f' ({where})' if where else ''}"


def tested(test: c.ValueTest) -> str:
    """A test of a value: `is red`, `at least 5`."""
    if test.exists is not None:
        return "is there" if test.exists else "is not there"
    if test.is_not is not None:
        return f"is not {test.is_not}"
    if test.is_ is not None or test.one_of is not None:
        return f"is {_or(test.one_of or (str(test.is_),))}"
    return _bounds(test)


def _bounds(of: Any) -> str:
    parts = [("at least", of.at_least), ("at most", of.at_most)]
    return " and ".join(f"{words} {number}" for words, number in parts if number is not None)


def _within(window: c.LastDays | c.Between | c.MoreThanDays | None) -> str:
    match window:
        case c.LastDays():
            return f" in the last {window.last_days} days" if window.last_days > 1 else " today"
        case c.Between():
            return f" from {window.from_} to {window.to}"
        case c.MoreThanDays():
            return f" {window.more_than_days_ago} days ago or earlier"
    return ""


def _did(node: c.Did) -> str:
    of = node.did
    if not isinstance(of, c.DidOf):
        return f"did {_or(of)}"
    often = f" exactly {of.exactly}" if of.exactly is not None else f" {_bounds(of)}".rstrip()
    return f"did {_events(of)}{f'{often} times' if often else ''}{_within(of.within)}"


def _count(node: c.Count) -> str:
    of = node.count.of
    return f"at least {node.count.at_least} {of if isinstance(of, str) else f'times {_or(of)}'}"


def _since(node: c.Since) -> str:
    last = node.since.last
    what = _SINCE[last] if isinstance(last, str) else _or(last)
    return f"{node.since.days} days or more since {what}"


def _measure(words: str, of: c.MeasureOf | c.DistinctOf) -> str:
    return f"{words} {of.property} of {_events(of)}{_within(of.within)}: {_bounds(of)}"


def _interest(node: c.Interest) -> str:
    of = node.interest
    top = f" is among the first {of.top}" if of.top else ""
    least = f" weighs {of.at_least} or more" if of.at_least else ""
    joined = " and".join(part for part in (top, least) if part)
    return f"{_or(of.is_)}{joined} in {of.property} of {_events(of)}, halved each {of.half_life_days} days"


def _sequence(node: c.Sequence) -> str:
    of = node.sequence
    span = next(f"{n} {unit}" for unit, n in of.within.model_dump(exclude_none=True).items())
    without = f", without {_events(of.without)} in between" if of.without else ""
    return f"{', then '.join(map(_events, of.steps))}, within {span}{without}"


def _tag(node: c.Tagged) -> str:
    return f"tag {node.tag.name}" + (f" is {_or(node.tag.is_)}" if node.tag.is_ else " has a value")


_SAYS: dict[type[c.Node], Callable[[Any], str]] = {
    c.All: lambda _: "all of these hold", c.Any_: lambda _: "one of these holds", c.Not: lambda _: "this does not hold",
    c.Did: _did, c.Count: _count, c.Since: _since,
    c.First: lambda node: f"first {_events(node.first)}{_within(node.first.within)}",
    c.Last: lambda node: f"last {_events(node.last)}{_within(node.last.within)}",
    c.Sum: lambda node: _measure("sum of", node.sum), c.Max: lambda node: _measure("greatest", node.max),
    c.Distinct: lambda node: _measure("different values of", node.distinct),
    c.Latest: lambda node: f"latest {node.latest.property} of {_events(node.latest)} {tested(node.latest)}",
    c.Interest: _interest, c.Sequence: _sequence,
    c.Trait: lambda node: f"trait {node.trait.name} {tested(node.trait)}",
    c.Age: lambda node: f"age by trait {node.age.trait} {_bounds(node.age)}",
    c.Identified: lambda node: f"known by {_or(node.identifier)}",
    c.OnChannel: lambda node: f"at least {node.channel.at_least} times on {_or(node.channel.of)}",
    c.Revenue: lambda node: f"revenue {_bounds(node.revenue)}",
    c.Tier: lambda node: f"value tier is {_or(node.tier)}",
    c.Score: lambda node: f"score of {node.score.of} {_bounds(node.score)}",
    c.InStage: lambda node: f"stage is {_or(node.stage)}", c.InSegment: lambda node: f"in segment {node.segment}",
    c.HasRole: lambda node: f"has role {node.role}", c.Tagged: _tag,
}  # fmt: skip
