"""What customers are: recomputed from facts, definitions and logical time, and published where it changed.

Everything at once where the view of customers or the definitions changed; what time can change when something is due;
else what an event touches. `due_at` is a lower bound: what is left out may only be due later.
"""

from collections.abc import Collection
from typing import NamedTuple

from processors.messages import Definitions, Failed, Output
from processors.portrait.evaluate import evaluate, is_silent
from processors.portrait.subject import Scores, Subject
from processors.rules.customers import facts_of
from processors.rules.labels import label_changes, leave_all
from processors.rules.stage import stage_change
from processors.rules.why import TIME, Why
from schemas.facts import Part, least
from schemas.state import Cluster, Published


def advance(cluster: Cluster, until: int, definitions: Definitions) -> list[Output]:
    """Let time pass up to `until`: each change that falls due on the way comes true at its own instant."""
    outputs: list[Output] = []
    while cluster["due_at"] is not None and cluster["due_at"] <= until:
        at = cluster["at"] = cluster["due_at"]
        outputs += _anew(cluster, definitions, Why(TIME, at, f"{TIME}/{at}"), definitions.portrait.timed)
    cluster["at"] = max(cluster["at"], until)
    return outputs


def evaluate_all(cluster: Cluster, definitions: Definitions, why: Why) -> list[Output]:
    """Evaluate every definition for each customer at the cluster's logical time; gives what changed."""
    return _anew(cluster, definitions, why, None)


def evaluate_touched(
    cluster: Cluster, definitions: Definitions, why: Why, primary: str, touched: Collection[str]
) -> list[Output]:
    """Evaluate what an event of this primary identifier touches; the rest may fall due as it would have."""
    for customer, published in cluster["published"].items():
        if primary in published["members"]:
            evaluated = _customer(cluster, definitions, why, customer, touched)
            cluster["due_at"] = least(cluster["due_at"], evaluated.due)
            cluster["aged"] = cluster["aged"] or evaluated.silent
            return evaluated.outputs
    return []


class _Evaluated(NamedTuple):
    """`due`: when it could change by itself; `silent`: anything of the customer's own doing could change it."""

    outputs: list[Output]
    due: int | None
    silent: bool


def _anew(
    cluster: Cluster, definitions: Definitions, why: Why, touched: Collection[str] | None
) -> list[Output]:
    outputs, due, silent = list[Output](), None, False
    for customer in cluster["published"]:
        evaluated = _customer(cluster, definitions, why, customer, touched)
        outputs += evaluated.outputs
        due, silent = least(due, evaluated.due), silent or evaluated.silent
    cluster["due_at"], cluster["aged"] = due, silent
    return outputs


def _customer(
    cluster: Cluster, definitions: Definitions, why: Why, customer: str, touched: Collection[str] | None
) -> _Evaluated:
    published, portrait = cluster["published"][customer], definitions.portrait
    part = facts_of(cluster, published["members"])
    if part is None:
        return _Evaluated([*leave_all(cluster, definitions, customer, why)], None, False)
    who = _subject(cluster, definitions, published, part)
    found = evaluate(portrait, who, touched)
    published["lifecycle"] = portrait.lifecycle
    outputs: list[Output] = []
    if who.stage is not None and who.stage != published["stage"]:
        outputs.append(stage_change(cluster, definitions, customer, who.stage, why))
    if portrait.labels or "labels" in published:
        outputs += label_changes(cluster, definitions, customer, who, found.changed, touched, why)
    outputs += map(Failed, found.failed)
    return _Evaluated(outputs, found.due, is_silent(portrait, who))


def _subject(cluster: Cluster, definitions: Definitions, published: Published, part: Part) -> Subject:
    """The customer as it was published, but for labels of definitions that are no more."""
    now, calendar, portrait = cluster["at"], definitions.calendar, definitions.portrait
    who = Subject(part, now, calendar.day_of(now), calendar, portrait.currency, portrait.rates)
    who.stage = published["stage"]
    if "labels" in published:
        who.labels = {n: one[0] for n, one in published["labels"].items() if n in portrait.labels}
    if "scores" in published:
        who.scores = Scores(*published["scores"])
    return who
