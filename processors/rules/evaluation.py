"""What customers are: recomputed from facts, definitions and logical time, and published where it changed.

Everything at once where the view of customers or the definitions changed; else what an event touches, or what is due.
A customer that is new is as nobody is, but for what its first event touches.
"""

from collections.abc import Collection

from processors.messages import Definitions, Failed, Output
from processors.portrait.evaluate import evaluate, is_silent
from processors.portrait.nobody import evaluate_new
from processors.portrait.subject import Scores, Subject
from processors.rules.customers import facts_of
from processors.rules.labels import label_changes, leave_all
from processors.rules.stage import stage_change
from processors.rules.why import TIME, Why, public_of
from schemas.facts import Part
from schemas.state import Cluster, Published


def advance(cluster: Cluster, until: int, definitions: Definitions) -> list[Output]:
    """Let time pass up to `until`: each change that falls due on the way comes true at its own instant."""
    outputs: list[Output] = []
    while cluster["due_at"] is not None and cluster["due_at"] <= until:
        at = cluster["at"] = cluster["due_at"]
        why = Why(TIME, at, f"{TIME}/{at}")
        for customer, published in cluster["published"].items():
            if ids := _fallen_due(published, at, definitions):
                outputs += _customer(cluster, definitions, why, customer, ids)
        cluster["due_at"] = _due_at(cluster)
    cluster["at"] = max(cluster["at"], until)
    return outputs


def evaluate_all(cluster: Cluster, definitions: Definitions, why: Why) -> list[Output]:
    """Evaluate every definition for each customer at the cluster's logical time; gives what changed."""
    outputs, cluster["aged"] = list[Output](), False
    for customer in cluster["published"]:
        outputs += _customer(cluster, definitions, why, customer, None)
    cluster["due_at"] = _due_at(cluster)
    return outputs


def evaluate_first(
    cluster: Cluster, definitions: Definitions, why: Why, touched: Collection[str]
) -> list[Output]:
    """Evaluate the one customer of a cluster, of whom this is the first event; gives what changed."""
    (customer,) = cluster["published"]
    outputs = _customer(cluster, definitions, why, customer, touched, new=True)
    cluster["due_at"] = _due_at(cluster)
    return outputs


def evaluate_touched(
    cluster: Cluster, definitions: Definitions, why: Why, primary: str, touched: Collection[str]
) -> list[Output]:
    """Evaluate what an event of this primary identifier touches; the rest falls due as it would have."""
    for customer, published in cluster["published"].items():
        if primary in published["members"]:
            outputs = _customer(cluster, definitions, why, customer, touched)
            cluster["due_at"] = _due_at(cluster)
            return outputs
    return []


def _fallen_due(published: Published, at: int, definitions: Definitions) -> Collection[str]:
    """The definitions that are due, taken out; of a state of older code, all that time can change."""
    due = published.get("due")
    if due is None:
        return definitions.portrait.timed
    ids = [id_ for id_, when in due.items() if when <= at]
    for id_ in ids:
        del due[id_]
    return ids


def _due_at(cluster: Cluster) -> int | None:
    due = None
    for one in cluster["published"].values():
        if mine := one.get("due"):
            at = min(mine.values())
            due = at if due is None or at < due else due
    return due


def _customer(
    cluster: Cluster,
    definitions: Definitions,
    why: Why,
    customer: str,
    touched: Collection[str] | None,
    new: bool = False,
) -> list[Output]:
    published, portrait = cluster["published"][customer], definitions.portrait
    part = facts_of(cluster, published["members"])
    if part is None:
        published["due"] = {}
        public = public_of(cluster, published["members"], definitions)
        return [*leave_all(cluster, public, customer, why)]
    who = _subject(cluster, definitions, published, part)
    found = (
        evaluate_new(portrait, definitions.nobody, who, touched or ())
        if new
        else evaluate(portrait, who, touched)
    )
    published["lifecycle"] = portrait.lifecycle
    _note_due(published, found.due, touched)
    alone = len(cluster["published"]) == 1
    cluster["aged"] = is_silent(portrait, who) or (cluster["aged"] and not alone)
    outputs: list[Output] = []
    moved = who.stage is not None and who.stage != published["stage"]
    news = moved or found.changed or touched is None
    public = public_of(cluster, published["members"], definitions) if news else {}
    if who.stage is not None and moved:
        outputs.append(stage_change(cluster, public, customer, who.stage, why))
    if portrait.labels or "labels" in published:
        outputs += label_changes(cluster, portrait, public, customer, who, found.changed, touched, why)
    outputs += map(Failed, found.failed)
    return outputs


def _note_due(published: Published, due: dict[str, int | None], touched: Collection[str] | None) -> None:
    mine = published.get("due")
    if mine is None or touched is None:
        mine = published["due"] = {}
    for id_, at in due.items():
        if at is not None:
            mine[id_] = at
        else:
            mine.pop(id_, None)


def _subject(cluster: Cluster, definitions: Definitions, published: Published, part: Part) -> Subject:
    """The customer as it was published, but for labels of definitions that are no more."""
    now, calendar, portrait = cluster["at"], definitions.calendar, definitions.portrait
    who = Subject(part, now, calendar.day_of(now), calendar, portrait.currency, portrait.rates)
    who.stage, who.members = published["stage"], published["members"]
    if "labels" in published:
        who.labels = {n: one[0] for n, one in published["labels"].items() if n in portrait.labels}
    if "scores" in published:
        who.scores = Scores(*published["scores"])
    return who
