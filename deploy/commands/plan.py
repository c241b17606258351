"""`cdp plan check | publish | show | history`: which events a source is expected to send."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.config import load_settings

plan = typer.Typer(
    name="plan",
    no_args_is_help=True,
    help="Say which events a source is expected to send; see docs/tracking-plan.md.",
)
File = Annotated[Path, typer.Argument(help="A tracking plan, as YAML.", dir_okay=False)]
Source = Annotated[str, typer.Argument(help="As web, till or partner-1.")]
Days = Annotated[int, typer.Option("--days", min=1, max=3_650, help="How many days back.")]
Because = Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; it stands in the log.")]


@plan.command()
def check(file: File, days: Days = 7) -> None:
    """Show what the plan in FILE would reject of what was sent lately; exit code 1 where it would reject anything.

    By rule, with how many events and some of their message ids; and how many of those that a plan rejected it would
    take. It is the check that ingest makes, on every event of these days. Nothing is changed.
    """
    from deploy.plans import shown, trial

    planned, found = trial.run(load_settings(), file, days)
    shown.trial(planned, found, days)
    if found.rejected:
        raise typer.Exit(1)


@plan.command()
def publish(file: File, because: Because) -> None:
    """Put the plan in FILE in force, everywhere within about a second; a plan without events asks nothing."""
    from deploy.plans.change import publish as run

    published, new = run(load_settings(), file, because)
    name = f"plan/{published.source}/{published.version}"
    typer.echo(f"{name} is in force" if new else f"nothing differs from {name}, which is in force")


@plan.command()
def show(source: Source) -> None:
    """Print the plan in force of a source, as a file that can be changed and published."""
    from deploy.plans.shown import plan as run

    run(load_settings(), source)


@plan.command()
def history(source: Source) -> None:
    """Show every version of a source's plan, when it was published and why."""
    from deploy.plans.shown import past as run

    run(load_settings(), source)
