"""Evaluates definitions on one customer: what is no longer as it was, and until when the rest stays so by itself."""

import heapq
from collections.abc import Collection
from typing import NamedTuple, cast

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
    todo = _places(portrait, touched)
    while todo:
        place = heapq.heappop(todo)
        if todo and todo[0] == place:
            continue
        rule = portrait.rules[place]
        was, scores = _known(rule, who), who.scores
        value, next_due = _evaluate(rule, who, failed)
        if rule.timed:
            due[rule.id] = next_due
        if value != was:
            changed.append(Changed(rule, was, value))
        if touched is not None and (value != was or who.scores != scores):
            for needing in portrait.needing.get(rule.id, ()):
                heapq.heappush(todo, needing)
    return Found(changed, due, failed)


def _places(portrait: Portrait, touched: Collection[str] | None) -> list[int]:
    if touched is None:
        return list(range(len(portrait.rules)))
    return sorted(portrait.places[id_] for id_ in touched if id_ in portrait.places)


def is_silent(portrait: Portrait, who: Subject) -> bool:
    """Whether some silence that a definition asks for holds: then anything of the customer's own doing may end it."""
    own = who.part["own_last"]
    return (
        portrait.silence is not None
        and own is not None
        and who.calendar.after(own, portrait.silence) <= who.now
    )


def _known(rule: Rule, who: Subject) -> str | None:
    return who.stage if rule.id == STAGE else who.labels.get(rule.label)


def _evaluate(rule: Rule, who: Subject, failed: list[str]) -> tuple[str | None, int | None]:
    """The value of one definition, noted in the subject too, and when it could change by itself."""
    value, due = None, None
    try:
        value, due = _score(rule, who) if rule.scoring else _first(rule, who, failed)
    except Exception:  # noqa: BLE001 -- whatever it is: a definition stops nothing
        failed.append(rule.key)
    if rule.id == STAGE:
        who.stage = cast("Stage | None", value)
    elif value is None:
        who.labels.pop(rule.label, None)
    else:
        who.labels[rule.label] = value
    return value, due if due is not None and due > who.now else None


def _first(rule: Rule, who: Subject, failed: list[str]) -> tuple[str | None, int | None]:
    """The first value that holds; what stands below it cannot change that."""
    due = None
    for value, compiled in rule.values:
        if compiled is None:
            return value, due
        try:
            both = compiled.both
            if both is not None:
                holds, at = both(who)
            else:
                holds, at = compiled.test(who), compiled.next_change(who)
            if at is not None and (due is None or at < due):
                due = at
        except Exception:  # noqa: BLE001
            failed.append(rule.key)
            holds = False
        if holds:
            return value, due
    return None, due


def _score(rule: Rule, who: Subject) -> tuple[str | None, int | None]:
    assert rule.scoring is not None
    who.scores = None
    who.scores = rule.scoring.scores(who)
    if who.scores is None:
        return None, None
    return rule.scoring.tier(who.scores), rule.scoring.next_change(who)
