"""`cdp clock hold | release | tick AT`: the clock of a deployment, for importers of history."""

from typing import Annotated

import typer

from deploy.config import load_settings
from schemas.settings import Settings

clock = typer.Typer(name="clock", no_args_is_help=True, help="Hold the clock, let it tick, release it.")
At = Annotated[
    str, typer.Argument(help="ISO 8601 date or time, in the deployment's time zone where it names none.")
]
Future = Annotated[
    bool,
    typer.Option(
        "--future",
        help="Also a time that is not over yet: to see what it brings, where nothing is to be kept.",
    ),
]


@clock.command()
def hold() -> None:
    """Stop the clock, so that an importer can let past times pass."""
    from deploy.clock import hold as run

    run(_settings())
    typer.echo("held: time passes by `cdp clock tick` only, until `cdp clock release`")


@clock.command()
def release() -> None:
    """Let the clock run by itself again."""
    from deploy.clock import release as run

    run(_settings())
    typer.echo("released: the clock runs")


@clock.command()
def tick(at: At, future: Future = False) -> None:
    """Let the time reach AT; what falls due by then comes true, and for those customers nothing takes it back."""
    from deploy.clock import check_over, instant
    from deploy.clock import tick as run

    settings = _settings()
    to = instant(at, settings.timezone)
    if not future:
        check_over(to)
    run(settings, to)
    typer.echo(f"told every partition that it is {at}; where it is later already, nothing changes")


def _settings() -> Settings:
    from deploy.init import joined

    settings = load_settings()
    joined(settings)
    return settings
