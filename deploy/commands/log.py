"""`cdp init`: the log of a deployment."""

import typer

from deploy.config import load_settings


def init() -> None:
    """Create the topics, genesis, definitions and sources of a deployment; harmless when they are there."""
    from deploy.init import init as run

    run(load_settings(), lambda line: typer.echo(line, err=True))


COMMANDS = (init,)
