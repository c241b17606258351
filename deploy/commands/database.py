"""`cdp migrate`: the tables and views of a deployment."""

from deploy.config import load_settings


def migrate() -> None:
    """Bring the database to the newest schema; harmless when it is there."""
    from projections.migrate import migrate as run

    run(load_settings())


COMMANDS = (migrate,)
