"""Every projection, explicitly. A new one: its module in `rows`, a line here, a numbered migration."""

from projections.rows import events, lifecycle_changes, rejected, state
from projections.table import Projection
from schemas import topics

PROJECTIONS = (
    Projection("state", topics.STATE, (state.PROFILES, state.IDENTITIES), state.rows, newest_only=True),
    Projection("events", topics.EVENTS, (events.EVENTS,), events.rows),
    Projection(
        "lifecycle-changes",
        topics.LIFECYCLE_CHANGES,
        (lifecycle_changes.LIFECYCLE_CHANGES,),
        lifecycle_changes.rows,
    ),
    Projection("rejected", topics.REJECTED, (rejected.REJECTED,), rejected.rows),
)
