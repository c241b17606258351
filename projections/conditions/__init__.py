"""Who is in a definition, from ClickHouse: preview, differences, audit. The same answers as the fold's, to the digit.

    definition -> labels -> operators -> measures -> scan
    (layers of columns)    (expressions)  (columns)   (one read of the events)

A condition's values travel as parameters; names of columns and the structure are ours. What is asked of facts is read
of the profiles, what leaves remember is counted over the events. `now` is the logical time at which is asked; a
customer that has seen a later one is asked at that.
"""

from projections.conditions.asking import ask
from projections.conditions.questions import (
    Context,
    Query,
    count,
    difference,
    labels,
    measured,
    members,
    preview,
    sample,
)

__all__ = [
    "Context", "Query", "ask", "count", "difference", "labels", "measured", "members", "preview", "sample",
]  # fmt: skip
