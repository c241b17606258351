"""What analysts may do: read the views, look identifiers up, and nothing else."""

import structlog
from clickhouse_driver import errors

from projections.connect import connect, reason
from schemas.settings import Settings

log = structlog.get_logger()
VIEWS = (
    "profiles",
    "portraits",
    "stage_by_tier",
    "events",
    "identities",
    "identity_links",
    "identity_changes",
    "lifecycle_changes",
    "lifecycle_periods",
    "segment_changes",
    "segment_counts",
    "label_periods",
    "orders",
    "rejected",
    "plan_violations",
    "bot_events",
)
DICTIONARIES = ("customer_of",)
_NO_ACCESS_MANAGEMENT = {495, 497, 514}  # read-only storage, not enough privileges, no writable storage


def grants(database: str) -> tuple[str, ...]:
    """The analysts' rights as GRANT statements without a grantee, as users.xml takes them."""
    return (
        *(f"GRANT SELECT ON {database}.{view}" for view in VIEWS),
        *(f"GRANT dictGet ON {database}.{dictionary}" for dictionary in DICTIONARIES),
    )


def grant(settings: Settings) -> bool:
    """Create the analysts' user where the server lets us; False, and said, where it does not."""
    user = settings.analyst_user
    password = quoted(settings.analyst_password.get_secret_value())
    try:
        with connect(settings, database="") as client:
            if not client.execute("SELECT count() FROM system.users WHERE name = %(name)s", {"name": user})[
                0
            ][0]:
                client.execute(
                    f"CREATE USER IF NOT EXISTS {user} IDENTIFIED WITH sha256_password BY '{password}' "
                    "SETTINGS readonly = 2"
                )
            elif client.execute("SELECT storage FROM system.users WHERE name = %(name)s", {"name": user}) == [
                ("users_xml",)
            ]:
                return True  # the server's own configuration says what it may
            for statement in grants(settings.clickhouse_database):
                client.execute(f"{statement} TO {user}")
    except errors.ServerException as error:
        if error.code not in _NO_ACCESS_MANAGEMENT:
            raise
        hint = f"let an administrator create it with: {'; '.join(grants(settings.clickhouse_database))}"
        log.warning("analyst_user_not_created", user=user, error=reason(error), hint=hint)
        return False
    return True


def quoted(value: str) -> str:
    """A value as the inside of a SQL string literal."""
    return value.replace("\\", "\\\\").replace("'", "\\'")
