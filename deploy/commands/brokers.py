"""`cdp mqtt | pull`: events of other brokers into the log, each until SIGTERM."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.config import load_settings

MappingFile = Annotated[
    Path,
    typer.Option(
        "--mapping", metavar="FILE", help="Mapping file: the broker, and which events its messages are."
    ),
]


def mqtt(mapping: MappingFile) -> None:
    """Take what devices publish to an MQTT 5 broker into the log."""
    from ingest.brokers import mqtt
    from ingest.brokers.process import run
    from schemas.mapping import load

    run(load_settings(), load(mapping), mqtt.bring)


def pull(mapping: MappingFile) -> None:
    """Take the events of somebody else's Kafka into the log."""
    from ingest.brokers import pull
    from ingest.brokers.process import run
    from schemas.mapping import load

    run(load_settings(), load(mapping), pull.bring)


COMMANDS = (mqtt, pull)
