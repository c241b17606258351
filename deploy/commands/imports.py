"""`cdp import FILE... --mapping FILE`: rows of files as events."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.config import load_settings

Files = Annotated[
    list[Path],
    typer.Argument(
        help="CSV, NDJSON or Parquet by their endings; the first two also compressed, as .gz or .zst.",
        dir_okay=False,
        metavar="FILE...",
    ),
]
MappingFile = Annotated[
    Path,
    typer.Option("--mapping", metavar="FILE", help="What its rows mean; see docs/import.md.", dir_okay=False),
]
Source = Annotated[
    str | None,
    typer.Option("--source", metavar="NAME", help="Whose events they are; the mapping's where left out."),
]


def import_(file: Files, mapping: MappingFile, source: Source = None) -> None:
    """Import files of rows, as a source's events. Killed anywhere, run it again and it goes on; a row counts once.

    Rejected rows stand in FILE.rejected.ndjson with number and reason; exit code 1 where there are any.
    """
    from deploy.imports.run import run

    if not run(load_settings(), file, mapping, source):
        raise typer.Exit(1)
