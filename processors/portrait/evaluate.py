"""Evaluates definitions on one customer: what is no longer as it was, and until when the rest stays so by itself."""

from bisect import bisect_left
from collections.abc import Collection, Iterable
from typing import NamedTuple, cast

from processors.portrait.compiled import never
from processors.portrait.model import STAGE, Portrait, Rule
from processors.portrait.subject import Subject
from schemas.labels import Stage


class Changed(NamedTuple):
    """The value of a label was, and is; None where the customer does not have it."""

    rule: Rule
    was: str | None
    now: str | None


class Found(NamedTuple):
    """`due`: of each timed definition that was evaluated, the next instant at which it could change by itself."""

    changed: list[Changed]
    due: dict[str, int | None]
    failed: list[str]  # definition keys, of those that failed on this customer's data and counted as false


def evaluate(portrait: Portrait, who: Subject, touched: Collection[str] | None = None) -> Found:
    """Evaluate the touched definitions (None: all), and those that need one which changed.

    What the subject is (`labels`, `stage`, `scores`) is brought up to date in place.
    """
    changed, due, failed = list[Changed](), dict[str, int | None](), list[str]()
    rules, needing, labels, now = portrait.rules, portrait.needing, who.labels, who.now
    todo, done = _places(portrait, touched), 0
    while done < len(todo):
        rule, scores = rules[todo[done]], who.scores
        done += 1
        was = who.stage if rule.id == STAGE else labels.get(rule.label)
        value, at = _first(rule, who, failed) if rule.scoring is None else _score(rule, who, failed)
        if rule.timed:
            due[rule.id] = at if at is not None and at > now else None
        if value != was:
            changed.append(Changed(rule, was, value))
            _note(rule, who, value)
        if (value != was or who.scores is not scores) and touched is not None and (more := needing[rule.id]):
            _also(todo, done, more)
    return Found(changed, due, failed)


def _also(todo: list[int], done: int, places: Iterable[int]) -> None:
    """Have these done too; they come after all that they need."""
    for place in places:
        at = bisect_left(todo, place, done)
        if at == len(todo) or todo[at] != place:
            todo.insert(at, place)


def _places(portrait: Portrait, touched: Collection[str] | None) -> list[int]:
    if touched is None:
        return list(range(len(portrait.rules)))
    places = portrait.places
    return sorted([places[id_] for id_ in touched if id_ in places])


def is_silent(portrait: Portrait, who: Subject) -> bool:
    """Whether some silence that a definition asks for holds: then anything of the customer's own doing may end it."""
    own = who.part["own_last"]
    return (
        portrait.silence is not None
        and own is not None
        and who.calendar.after(own, portrait.silence) <= who.now
    )


def _note(rule: Rule, who: Subject, value: str | None) -> None:
    if rule.id == STAGE:
        who.stage = cast("Stage | None", value)
    elif value is None:
        del who.labels[rule.label]
    else:
        who.labels[rule.label] = value


def _first(rule: Rule, who: Subject, failed: list[str]) -> tuple[str | None, int | None]:
    """The first value that holds; what stands below it cannot change that."""
    due = None
    for value, compiled in rule.values:
        if compiled is None:
            return value, due
        try:
            test, next_change, both = compiled
            if both is not None:
                holds, at = both(who)
            else:
                holds = test(who)
                at = None if next_change is never else next_change(who)
            if at is not None and (due is None or at < due):
                due = at
        except Exception:  # noqa: BLE001 -- whatever it is: a definition stops nothing
            failed.append(rule.key)
            holds = False
        if holds:
            return value, due
    return None, due


def _score(rule: Rule, who: Subject, failed: list[str]) -> tuple[str | None, int | None]:
    scoring = rule.scoring
    assert scoring is not None
    was, who.scores = who.scores, None
    try:
        scores = scoring.scores(who)
        if scores is None:
            return None, None
        tier, due = scoring.tier(scores), scoring.next_change(who)
    except Exception:  # noqa: BLE001
        failed.append(rule.key)
        return None, None
    who.scores = was if scores == was else scores
    return tier, due
