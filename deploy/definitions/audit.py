"""Whether what the workers keep live is what the same definitions give over all events in ClickHouse."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from clickhouse_driver import Client

from deploy.definitions.asking import asked, context_of
from deploy.definitions.history import History
from deploy.definitions.plan import standing
from projections import conditions
from projections.conditions import Context, Query
from projections.connect import retried
from schemas.settings import Settings

PATIENCE = 10.0
TIMES, BETWEEN_S = 5, 2.0
"""A customer whose events are on their way differs for a moment: it counts where it differs each time."""
MOST = 100_000
_DIFFERING = """\
SELECT s.t.1 AS customer_id, s.t.2 AS stage, p.stage AS live_stage,
       arraySort(arrayMap(x -> (x.1, assumeNotNull(x.2)), s.t.3)) AS labels, p.live AS live
FROM (SELECT tuple(*) AS t FROM ({labels})) AS s
INNER JOIN (
    SELECT customer_id, stage, arraySort(arrayMap(l -> (concat(l.kind, '/', l.name), l.value), portrait)) AS live
    FROM profiles_raw FINAL
) AS p ON p.customer_id = s.t.1
WHERE stage != live_stage OR labels != live
LIMIT {most}
"""
Labels = dict[str, str]


class Differing(NamedTuple):
    """A customer: what it should carry, and what it carries; its stage is the label `lifecycle`."""

    customer_id: str
    should: Labels
    live: Labels

    @property
    def names(self) -> list[str]:
        """The labels that differ."""
        both = self.should.keys() | self.live.keys()
        return sorted(name for name in both if self.should.get(name) != self.live.get(name))


class Audited(NamedTuple):
    """How many customers were looked at, and those that differ."""

    customers: int
    differing: list[Differing]

    @property
    def by_label(self) -> Counter[str]:
        """How many differ in a label."""
        return Counter(name for each in self.differing for name in each.names)


def audit(settings: Settings, history: History, tell: Callable[[int], None] = lambda _: None) -> Audited:
    """Compare every customer; `tell` gets how many differ each time."""
    definitions = standing(history.definitions, history.now) if history.now else [history.lifecycle]
    known: set[str] | None = None
    with asked(settings) as client:
        for _ in range(TIMES):
            if known is not None:
                time.sleep(BETWEEN_S)
            context = context_of(settings, history, definitions)
            found = [
                one
                for one in _differing(settings, client, context)
                if known is None or one.customer_id in known
            ]
            tell(len(found))
            known = {one.customer_id for one in found}
            if not found:
                break
        count = "SELECT count() FROM profiles_raw FINAL"
        return Audited(_ask(settings, client, Query(count, {}))[0][0], found)


def _differing(settings: Settings, client: Client, context: Context) -> list[Differing]:
    labels = conditions.labels(context)
    query = Query(_DIFFERING.replace("{labels}", labels.sql).replace("{most}", str(MOST)), labels.params)
    return [
        Differing(str(id_), _labels(stage, should), _labels(live_stage, live))
        for id_, stage, live_stage, should, live in _ask(settings, client, query)
    ]


def _labels(stage: str, labels: list[tuple[str, str]]) -> Labels:
    return {"lifecycle": stage, **dict(labels)}


def _ask(settings: Settings, client: Client, query: Query) -> list[tuple[Any, ...]]:
    return retried(settings, lambda: conditions.ask(client, query), PATIENCE)
