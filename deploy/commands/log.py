"""`cdp init`: the log of a deployment."""

from deploy.config import load_settings


def init() -> None:
    """Create the topics, genesis and definitions of a deployment; harmless when they are there."""
    from deploy.init import init as run

    run(load_settings())


COMMANDS = (init,)
