"""`cdp migrate`: the database, its tables and views, and the analysts' user."""

from pathlib import Path

import structlog
from clickhouse_driver import errors
from clickhouse_migrations.clickhouse_cluster import ClickhouseCluster
from clickhouse_migrations.exceptions import MigrationException

from projections import access
from projections.connect import reason, retried, where
from schemas.errors import ConfigError, Unavailable
from schemas.settings import Settings

log = structlog.get_logger()
MIGRATIONS = Path(__file__).parent / "migrations"
PATIENCE = 60.0


def migrate(settings: Settings, patience: float = PATIENCE) -> None:
    """Bring the database to the newest schema; harmless when it is there, or when two processes do it at once.

    Unavailable when ClickHouse cannot be reached for `patience` seconds or refuses a statement; ConfigError
    when a migration that was applied has been changed since.
    """
    try:
        applied = retried(settings, lambda: _apply(settings), patience)
    except MigrationException as error:
        raise ConfigError(
            reason(error), str(MIGRATIONS), "a migration is never changed: add the next"
        ) from None
    except errors.Error as error:
        raise Unavailable(reason(error), where(settings), "may this user create databases?") from None
    log.info("migrated", database=settings.clickhouse_database, applied=applied)
    access.grant(settings)


def _apply(settings: Settings) -> list[int]:
    cluster = ClickhouseCluster(
        db_host=settings.clickhouse_host,
        db_port=str(settings.clickhouse_port),
        db_user=settings.clickhouse_user,
        db_password=settings.clickhouse_password.get_secret_value(),
        connect_timeout=5,
    )
    variables = {
        "DATABASE": settings.clickhouse_database,
        "USER": access.quoted(settings.clickhouse_user),
        "PASSWORD": access.quoted(settings.clickhouse_password.get_secret_value()),
        "CURRENCY": settings.currency,
        "TIMEZONE": settings.timezone,
    }
    done = cluster.migrate(settings.clickhouse_database, MIGRATIONS, variables=variables)
    return [migration.version for migration in done]
