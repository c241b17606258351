"""Every projection, explicitly. A new one: its module in `rows`, a line here, a numbered migration."""

from collections.abc import Sequence

from projections.rows import events, identity_changes, lifecycle_changes, rejected, segment_changes, state
from projections.table import Projection
from schemas import topics
from schemas.errors import ConfigError

PROJECTIONS = (
    Projection("state", topics.STATE, state.TABLES, state.rows, newest_only=True),
    Projection("events", topics.EVENTS, (events.EVENTS,), events.rows),
    Projection(
        "lifecycle-changes",
        topics.LIFECYCLE_CHANGES,
        (lifecycle_changes.LIFECYCLE_CHANGES,),
        lifecycle_changes.rows,
    ),
    Projection(
        "segment-changes",
        topics.SEGMENT_CHANGES,
        (segment_changes.SEGMENT_CHANGES,),
        segment_changes.rows,
    ),
    Projection(
        "identity-changes",
        topics.IDENTITY_CHANGES,
        (identity_changes.IDENTITY_CHANGES,),
        identity_changes.rows,
    ),
    Projection("rejected", topics.REJECTED, (rejected.REJECTED,), rejected.rows),
)


def named(names: Sequence[str]) -> tuple[Projection, ...]:
    """The projections of these names, all where there are none; ConfigError for a name that none has."""
    known = [projection.name for projection in PROJECTIONS]
    for name in names:
        if name not in known:
            raise ConfigError(f"no projection {name!r}", "cdp sink", f"there are {', '.join(known)}")
    return tuple(p for p in PROJECTIONS if not names or p.name in names)
