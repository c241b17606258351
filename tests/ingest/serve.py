"""`python -m tests.ingest.serve`: ingest as `cdp ingest` runs it, with the settings of the environment."""

import sys

from ingest.server import run
from schemas.errors import CdpError
from schemas.settings import Settings

if __name__ == "__main__":
    try:
        run(Settings())
    except CdpError as error:
        sys.exit(str(error))
