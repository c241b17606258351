"""The `cdp` command line: which commands there are, and how their errors are told."""

import os
import sys
import traceback
from collections.abc import Iterable
from importlib import metadata
from typing import Annotated

import typer

from deploy.commands import (
    brokers,
    clock,
    database,
    definitions,
    demo,
    explain,
    identity,
    imports,
    log,
    plan,
    processes,
    profile,
    sources,
    stack,
    value,
)
from schemas.errors import CdpError
from schemas.settings import Settings

PREFIX, DEBUG = "CDP_", "CDP_DEBUG"
OTHERS = ("CDP_SECRET_", "CDP_TEST_", "CDP_BENCH_")

app = typer.Typer(
    name="cdp",
    help="An event-sourced customer data platform. Settings are CDP_* variables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for group in (stack, demo, explain, processes, brokers, log, database, value):
    for command in group.COMMANDS:
        app.command()(command)
app.command("import")(imports.import_)
for typed in (
    sources.sources,
    plan.plan,
    profile.profile,
    definitions.definitions,
    identity.identity,
    clock.clock,
):
    app.add_typer(typed)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(metadata.version("cdp"))
        raise typer.Exit


@app.callback(help=app.info.help)
def _frame(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, help="Show the version.")
    ] = False,
) -> None:
    """What holds of every command."""


def main() -> None:
    """Run one command; an error is told in a few lines and ends with exit code 1."""
    for name in misspelt(os.environ):
        typer.echo(f"warning: {name} is no setting; docs/settings.md has them all", err=True)
    try:
        app()
    except CdpError as error:
        _tell(error)
    except Exception as error:  # noqa: BLE001 - the one place where what nobody expected is told
        _tell_unexpected(error)


def misspelt(environment: Iterable[str]) -> list[str]:
    """The variables that look like settings and are none."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {DEBUG}
    mine = (name for name in environment if name.startswith(PREFIX))
    return sorted(name for name in mine if name not in known and not name.startswith(OTHERS))


def _tell(error: CdpError) -> None:
    if _debugging():
        traceback.print_exc()
    parts = (("error", error.what), ("where", error.where), ("hint", error.hint))
    _end("\n".join(f"{name}: {text}" for name, text in parts if text))


def _tell_unexpected(error: Exception) -> None:
    # The log of a process is where a defect is looked for; on a terminal it would only frighten.
    if _debugging() or not sys.stderr.isatty():
        traceback.print_exc()
    _end(
        f"error: {type(error).__name__}: {error}\nhint: this is a defect; CDP_DEBUG=1 shows where it happened"
    )


def _debugging() -> bool:
    return os.environ.get(DEBUG, "0") not in ("", "0")


def _end(message: str) -> None:
    typer.echo(message, err=True)
    sys.exit(1)
