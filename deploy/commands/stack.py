"""`cdp up | down | status | logs`: the local stack."""

from typing import Annotated

import typer

from deploy.config import load_settings

ServersOnly = Annotated[bool, typer.Option("--servers-only", help="Start only Kafka and ClickHouse.")]
Name = Annotated[
    str | None, typer.Argument(help="As `cdp status` names it, or `worker` for each; all when left out.")
]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")]
Lines = Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines of each.")]


def up(servers_only: ServersOnly = False) -> None:
    """Start the local stack and the platform, and return when they are ready."""
    from deploy.control import up as run

    run(load_settings(create_secret=True), servers_only=servers_only)


def down() -> None:
    """Stop all that `cdp up` started; the data stays."""
    from deploy.control import down as run

    run(load_settings())


def status() -> None:
    """Show the processes of the local stack; exit code 3 when it does not run."""
    from deploy.status import show

    if not show(load_settings()):
        raise typer.Exit(3)


def logs(name: Name = None, follow: Follow = False, lines: Lines = 20) -> None:
    """Show the logs of the local stack."""
    from deploy.status import show_logs

    show_logs(load_settings(), name, follow=follow, lines=lines)


COMMANDS = (up, down, status, logs)
