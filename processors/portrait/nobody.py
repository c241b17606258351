"""Who did nothing at all: what definitions say of everybody to begin with, whatever the time.

A new customer is that, and what its first event touches: so that costs what the event touches, not all definitions.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from processors.calendar import Calendar
from processors.portrait.evaluate import Changed, Found, evaluate
from processors.portrait.model import Portrait
from processors.portrait.subject import Subject
from schemas.facts import new_part
from schemas.labels import Stage


class Nobody(NamedTuple):
    """Labels and stage. `always`: ids of what is evaluated of every new customer all the same.

    That is what asks for identifiers, for these come before any event, and what failed.
    """

    labels: Mapping[str, str]
    stage: Stage | None
    always: frozenset[str]


def nobody_of(portrait: Portrait, calendar: Calendar) -> Nobody:
    """Who did nothing, under these definitions."""
    who = Subject(new_part(0), 0, 0, calendar, portrait.currency, portrait.rates)
    failed = {*evaluate(portrait, who).failed}
    again = frozenset(rule.id for rule in portrait.rules if rule.key in failed)
    return Nobody(who.labels, who.stage, portrait.touching.identified | again)


def evaluate_new(portrait: Portrait, nobody: Nobody, who: Subject, touched: Collection[str]) -> Found:
    """Evaluate who just did the first thing ever, which touches these definitions: as `evaluate` of all of them."""
    who.labels, who.stage = dict(nobody.labels), nobody.stage
    found = evaluate(portrait, who, nobody.always.union(touched))
    places = sorted(portrait.labelled[label] for label in who.labels)
    rules = [portrait.rules[place] for place in places]
    return found._replace(changed=[Changed(rule, None, who.labels[rule.label]) for rule in rules])
