"""What the endpoints of ingest share."""

import asyncio
import itertools
import uuid
from pathlib import Path

from ingest.adapters.secrets import Secrets
from ingest.doors import Doors
from ingest.log import Log
from ingest.metrics import Metrics
from ingest.requests import Held
from ingest.strangers import Strangers


class Service:
    """One process; `doors` and `log` are there once Kafka and genesis are: `opened`.

    `hops` is how many proxies of the deployment's own stand before it, `secrets` the folder of what adapters verify by.
    """

    def __init__(self, hops: int = 0, secrets: Path | None = None) -> None:
        self.hops, self.secrets = hops, Secrets(secrets)
        self.doors: Doors | None = None
        self.log: Log | None = None
        self.opened = asyncio.Event()
        self.metrics = Metrics()
        self.held = Held()
        self.strangers = Strangers()
        process = uuid.uuid4().hex
        self.ids = (f"{process}-{number}" for number in itertools.count())
