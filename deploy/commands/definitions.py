"""`cdp definitions validate | preview | diff | publish | history | rollback | audit`: what customers are."""

from typing import Annotated

import typer

from deploy.config import load_settings

definitions = typer.Typer(
    name="definitions",
    no_args_is_help=True,
    help="Try, publish and check what customers are: tags, segments, roles.",
)
Folder = Annotated[
    str | None,
    typer.Argument(
        help="Folder of definitions, all that shall be in force; or a preset's name. CDP_DEFINITIONS where left out."
    ),
]
MaybeFolder = Annotated[
    str | None,
    typer.Argument(help="Folder or preset with it; what is in force where left out.", metavar="[FOLDER]"),
]
Name = Annotated[
    str,
    typer.Argument(
        help="As segment/vip, tag/basket or role/fan, or vip alone where it is the only one; `stage` and `value`."
    ),
]
MaybeName = Annotated[
    str | None,
    typer.Argument(help="As segment/vip, or vip alone; all where left out.", metavar="[KIND/NAME]"),
]
Only = Annotated[
    str | None,
    typer.Option("--name", metavar="KIND/NAME", help="Only this one, as segment/vip, or vip alone."),
]
All = Annotated[
    str | None, typer.Option("--all", metavar="FORMAT", help="Everybody, as `csv` or `json` (a line each).")
]
Everything = Annotated[bool, typer.Option("--all", help="All publications.")]
Because = Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; it stands in the log.")]


@definitions.command()
def validate(folder: Folder = None) -> None:
    """Check that the definitions of FOLDER can be in force together; every fault is told with its place."""
    from deploy.definitions.run import validate as run

    run(load_settings(), folder)


@definitions.command()
def preview(name: Name, folder: MaybeFolder = None) -> None:
    """Count the customers that a definition holds now, from ClickHouse, and show some of them; nothing is changed."""
    from deploy.definitions.run import show as run

    run(load_settings(), name, folder)


@definitions.command()
def diff(folder: Folder = None, name: Only = None, all_: All = None) -> None:
    """Show what publishing FOLDER would change: definitions, and who would enter and leave; nothing is changed."""
    from deploy.definitions.differ import differ as run

    run(load_settings(), folder, name, all_)


@definitions.command()
def publish(because: Because, folder: Folder = None) -> None:
    """Put the definitions of FOLDER in force, and nothing else; killed anywhere, publish again and it goes on."""
    from deploy.definitions.run import publish_ as run

    run(load_settings(), folder, because)


@definitions.command()
def history(name: MaybeName = None, all_: Everything = False) -> None:
    """Show what was published, when and why: the newest 20 publications."""
    from deploy.definitions.run import past as run

    run(load_settings(), name, all_=all_)


@definitions.command()
def rollback(name: Name, because: Because) -> None:
    """Put the latest earlier version of a definition in force again; where there was none, it is no more."""
    from deploy.definitions.run import roll_back_ as run

    run(load_settings(), name, because)


@definitions.command()
def audit() -> None:
    """Compare what is live with what ClickHouse finds over all events; exit code 3 where a customer differs."""
    from deploy.definitions.run import check as run

    if not run(load_settings()):
        raise typer.Exit(3)
