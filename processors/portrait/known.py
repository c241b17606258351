"""Conditions on facts that every part has: names, books, the customer's own doing, traits, identifiers, channels."""

from collections.abc import Callable, Iterable
from datetime import date

from processors.calendar import EPOCH, day_number
from processors.portrait.compiled import Compiled, Context, both_of, never
from processors.portrait.subject import Subject
from processors.portrait.values import passes
from processors.portrait.windows import bounded
from schemas import conditions as c
from schemas.identity import namespace_of, split_namespace
from schemas.values import date_of, values_of

When = Callable[[Subject], int | None]


def did(names: frozenset[str]) -> Compiled:
    """One of these was ever seen."""
    return Compiled(lambda who: not names.isdisjoint(who.part["names"]), never)


def count(node: c.Count, _: Context) -> Compiled:
    """A count of the books, or of events by name."""
    least, of = node.count.at_least, node.count.of
    match of:
        case "purchases":
            return Compiled(lambda who: who.part["books"]["totals"]["purchases"] >= least, never)
        case "contracts":
            return Compiled(lambda who: who.part["books"]["totals"]["contracts"] >= least, never)
        case "renewals":
            return Compiled(lambda who: who.part["books"]["totals"]["renewals"] >= least, never)
    names = frozenset(of)
    return Compiled(
        lambda who: sum(seen[0] for n, seen in who.part["names"].items() if n in names) >= least, never
    )


def since(node: c.Since, context: Context) -> Compiled:
    """Turns true at 00:00 of its day; only new facts turn it back."""
    begins = _begins(node.since, context)

    def both(who: Subject) -> tuple[bool, int | None]:
        at = begins(who)
        if at is None:
            return False, None
        return (True, None) if who.now >= at else (False, at)

    return both_of(both)


def _begins(of: c.SinceLast, context: Context) -> When:
    calendar, days = context.calendar, of.days
    if of.last == "own":
        return lambda who: None if (own := who.part["own_last"]) is None else calendar.after(own, days)
    if of.last == "contract_end":
        return lambda who: (
            None
            if (end := who.part["books"]["contract_end"]) is None
            else calendar.start_of(day_number(end) + days)
        )
    names = frozenset(of.last)

    def begins(who: Subject) -> int | None:
        seen = [counted[2] for name, counted in who.part["names"].items() if name in names]
        return calendar.after(max(seen), days) if seen else None

    return begins


def trait(node: c.Trait, _: Context) -> Compiled:
    """The latest value of a trait."""
    name, test = node.trait.name, passes(node.trait)

    def holds(who: Subject) -> bool:
        stated = who.part["traits"].get(name)
        return test([] if stated is None else values_of({name: stated[2]}, (name,)))

    return Compiled(holds, never)


def age(node: c.Age, context: Context) -> Compiled:
    """Whole years; who was born on February 29 is a year older on March 1 where there is none."""
    name, least, most = node.age.trait, node.age.at_least, node.age.at_most

    def born(who: Subject) -> date | None:
        stated = who.part["traits"].get(name)
        return None if stated is None else date_of(stated[2])

    def test(who: Subject) -> bool:
        birthday = born(who)
        if birthday is None:
            return False
        begins = _anniversary(birthday, least or 0)
        ends = None if most is None else _anniversary(birthday, most + 1)
        return begins is not None and begins <= who.today and (ends is None or who.today < ends)

    def next_change(who: Subject) -> int | None:
        birthday = born(who)
        if birthday is None:
            return None
        days = [
            _anniversary(birthday, least or 0),
            None if most is None else _anniversary(birthday, most + 1),
        ]
        starts = [context.calendar.start_of(day) for day in days if day is not None and day > who.today]
        return min(starts, default=None)

    return Compiled(test, next_change)


def _anniversary(born: date, years: int) -> int | None:
    """The day number so many years on; None beyond the calendar."""
    year = born.year + years
    if year > date.max.year:
        return None
    leap_day = (born.month, born.day) == (2, 29) and not (year % 4 == 0 and (year % 100 or year % 400 == 0))
    return ((date(year, 3, 1) if leap_day else born.replace(year=year)) - EPOCH).days


def identified(node: c.Identified, _: Context) -> Compiled:
    """`wechat_openid` is any account's, `wechat_openid/APPID` one account's. Others' identifiers do not count."""
    wanted = frozenset(node.identifier)

    def test(who: Subject) -> bool:
        return any(is_of(each, wanted) for each in namespaces_of(who))

    return Compiled(test, never)


def namespaces_of(who: Subject) -> Iterable[str]:
    """The namespaces of a customer's identifiers, with their scopes."""
    return who.part["identifiers"] if who.members is None else map(namespace_of, who.members)


def is_of(namespace: str, wanted: frozenset[str]) -> bool:
    """Whether a namespace is one of these, or its name without the scope is."""
    return namespace in wanted or split_namespace(namespace)[0] in wanted


def channel(node: c.OnChannel, _: Context) -> Compiled:
    """Events of some channels."""
    channels, least = frozenset(node.channel.of), node.channel.at_least
    return Compiled(
        lambda who: sum(n for name, n in who.part["channels"].items() if name in channels) >= least, never
    )


def revenue(node: c.Revenue, _: Context) -> Compiled:
    """Net revenue of the books, as far as there are rates."""
    holds = bounded(node.revenue.at_least, node.revenue.at_most)
    return Compiled(lambda who: holds(who.revenue()[0]), never)
