"""Compiles a condition: a test of a subject, and the next instant at which the answer could change by itself.

One function an operator, in `OPERATORS`: what is asked of facts is in `known.py`, what leaves remember in `windows.py`,
`needs.py`. What is combined of parts changes when one of its parts does, at the soonest.
"""

from collections.abc import Callable
from typing import Any

from processors.portrait import known, needs, windows
from processors.portrait.compiled import Compiled, Context, Test, answer_of, earliest, never
from processors.portrait.subject import Subject
from schemas import conditions as c


def compile_condition(condition: c.Condition, context: Context) -> Compiled:
    """The condition under this calendar and these leaves."""
    compile_: Callable[[Any, Context], Compiled] = OPERATORS[type(condition)]
    return compile_(condition, context)


def _all(node: c.All, context: Context) -> Compiled:
    parts = tuple(compile_condition(part, context) for part in node.all)
    tests = tuple(part.test for part in parts)

    def test(who: Subject) -> bool:
        for one in tests:  # noqa: SIM110 -- a generator costs three times as much here
            if not one(who):
                return False
        return True

    return _timed(test, parts, stops_at=False)


def _any(node: c.Any_, context: Context) -> Compiled:
    parts = tuple(compile_condition(part, context) for part in node.any)
    tests = tuple(part.test for part in parts)

    def test(who: Subject) -> bool:
        for one in tests:  # noqa: SIM110
            if one(who):
                return True
        return False

    return _timed(test, parts, stops_at=True)


def _timed(test: Test, parts: tuple[Compiled, ...], stops_at: bool) -> Compiled:
    """What is combined. A part that decides alone (`stops_at`) does so until it changes, whatever the others do."""
    next_change, answers = earliest(part.next_change for part in parts), tuple(map(answer_of, parts))
    if next_change is never:
        return Compiled(test, never)

    def both(who: Subject) -> tuple[bool, int | None]:
        due: int | None = None
        for answer in answers:
            holds, at = answer(who)
            if holds is stops_at:
                return holds, at
            if at is not None and (due is None or at < due):
                due = at
        return not stops_at, due

    return Compiled(test, next_change, both)


def _not(node: c.Not, context: Context) -> Compiled:
    part = compile_condition(node.not_, context)
    if part.next_change is never:
        return Compiled(lambda who: not part.test(who), never)
    answer = answer_of(part)

    def both(who: Subject) -> tuple[bool, int | None]:
        holds, at = answer(who)
        return not holds, at

    return Compiled(lambda who: not part.test(who), part.next_change, both)


def _did(node: c.Did, context: Context) -> Compiled:
    return windows.did(node.did, context) if isinstance(node.did, c.DidOf) else known.did(frozenset(node.did))


def _tier(node: c.Tier, _: Context) -> Compiled:
    tiers = frozenset(node.tier)
    return Compiled(
        lambda who: any(v in tiers for name, v in who.labels.items() if name.startswith("value/")), never
    )


def _score(node: c.Score, _: Context) -> Compiled:
    of, holds = node.score.of, windows.bounded(node.score.at_least, node.score.at_most)
    return Compiled(lambda who: who.scores is not None and holds(getattr(who.scores, of)), never)


def _stage(node: c.InStage, _: Context) -> Compiled:
    stages = frozenset(node.stage)
    return Compiled(lambda who: who.stage in stages, never)


def _tag(node: c.Tagged, _: Context) -> Compiled:
    name, values = f"tag/{node.tag.name}", node.tag.is_
    if values is None:
        return _labelled(name)
    wanted = frozenset(values)
    return Compiled(lambda who: who.labels.get(name) in wanted, never)


def _labelled(name: str) -> Compiled:
    return Compiled(lambda who: name in who.labels, never)


OPERATORS: dict[type[c.Node], Callable[[Any, Context], Compiled]] = {
    c.All: _all, c.Any_: _any, c.Not: _not, c.Did: _did, c.Count: known.count, c.Since: known.since,
    c.First: lambda node, context: windows.span(node.first, 0, context),
    c.Last: lambda node, context: windows.span(node.last, 1, context),
    c.Sum: windows.sum_, c.Max: windows.max_, c.Distinct: windows.distinct, c.Latest: needs.latest,
    c.Interest: needs.interest, c.Sequence: needs.sequence, c.Trait: known.trait, c.Age: known.age,
    c.Identified: known.identified, c.OnChannel: known.channel, c.Revenue: known.revenue, c.Tier: _tier,
    c.Score: _score, c.InStage: _stage, c.Tagged: _tag,
    c.InSegment: lambda node, _: _labelled(f"segment/{node.segment}"),
    c.HasRole: lambda node, _: _labelled(f"role/{node.role}"),
}  # fmt: skip
"""How each operator is compiled."""
