"""`cdp sources list | adapters | add | set | rotate | disable | enable`: who may send events, and on what terms."""

from typing import Any

import typer

from deploy.commands.source_options import (
    Adapter,
    Because,
    Config,
    Enrich,
    Grace,
    Kind,
    Name,
    Namespaces,
    Origin,
    Quota,
    Rate,
    Region,
    Trusted,
)
from deploy.config import load_settings
from schemas.settings import Settings

sources = typer.Typer(
    name="sources",
    no_args_is_help=True,
    help="Let sources send, change their terms and keys: in force everywhere within about a second.",
)


@sources.command("list")
def list_() -> None:
    """Show the sources with their terms, today's use of quotas, and keys by fingerprint, never the keys."""
    from deploy.sources.shown import show

    show(load_settings())


@sources.command()
def adapters() -> None:
    """Show the adapters there are: other systems that may send, and what a source of each must have."""
    from deploy.sources.adapted import known

    for line in known():
        typer.echo(line)


@sources.command()
def add(
    name: Name,
    because: Because,
    channel: Kind = None,
    adapter: Adapter = None,
    config: Config = None,
    trusted: Trusted = False,
    namespaces: Namespaces = None,
    origin: Origin = None,
    rate: Rate = None,
    quota: Quota = None,
    phone_region: Region = None,
    enrich: Enrich = None,
) -> None:
    """Let a new source send. Its write key is printed once, alone on standard output, and kept nowhere."""
    from deploy.sources import change, given

    settings = load_settings()
    terms = given.terms(
        channel, trusted, namespaces, origin, rate, quota, phone_region, enrich, adapter, config
    )
    key = change.add(settings, {**terms, "name": name}, because)
    _hand_over(key, f"source {name} may send", settings.ingest_host, settings.ingest_port)
    _hook(name, terms, settings)


@sources.command("set")
def set_(
    name: Name,
    because: Because,
    channel: Kind = None,
    adapter: Adapter = None,
    config: Config = None,
    trusted: Trusted = None,
    namespaces: Namespaces = None,
    origin: Origin = None,
    rate: Rate = None,
    quota: Quota = None,
    phone_region: Region = None,
    enrich: Enrich = None,
) -> None:
    """Change terms of a source: those that are given, nothing else."""
    from deploy.sources import given

    terms = given.terms(
        channel, trusted, namespaces, origin, rate, quota, phone_region, enrich, adapter, config
    )
    _change(name, terms, because)
    _hook(name, terms, load_settings())


@sources.command()
def rotate(name: Name, because: Because, grace: Grace = "7d") -> None:
    """Give a source a new write key, printed once, alone on standard output; its old ones end after the grace."""
    from deploy.sources import change, given

    settings = load_settings()
    key = change.rotate(settings, name, given.grace(grace), because)
    old = (
        "its old keys are taken no more"
        if given.grace(grace) == 0
        else f"its old keys are taken for {grace} more"
    )
    _hand_over(key, f"source {name} has a new key; {old}", settings.ingest_host, settings.ingest_port)


@sources.command()
def disable(name: Name, because: Because) -> None:
    """Take nothing more of a source, at once; its senders hear 404, which SDKs do not repeat."""
    _change(name, {"enabled": False}, because)


@sources.command()
def enable(name: Name, because: Because) -> None:
    """Let a disabled source send again, with the keys that it has."""
    _change(name, {"enabled": True}, because)


def _change(name: str, changes: dict[str, object], because: str) -> None:
    from deploy.sources.change import change

    changed = change(load_settings(), name, changes, because)
    typer.echo(f"source {name}: {'changed' if changed else 'it is so already, nothing changes'}")


def _hand_over(key: str, what: str, host: str, port: int) -> None:
    typer.echo(f"{what}. Its write key follows; keep it: nobody can show it again.", err=True)
    typer.echo(key)
    typer.echo(
        f"SDK: write_key = this key, host = http://{host}:{port}\n"
        f'curl: curl -u KEY: http://{host}:{port}/v1/track -d \'{{"userId": "ada", "event": "Visit"}}\'',
        err=True,
    )


def _hook(name: str, terms: dict[str, Any], settings: Settings) -> None:
    """Where its sender is to send, and what is still missing."""
    from deploy.sources.adapted import missing, url

    if adapter := terms.get("adapter"):
        typer.echo(f"{adapter}: sends to {url(settings, name)}", err=True)
        for line in missing(name, adapter, terms.get("config", {}), settings.secrets):
            typer.echo(line, err=True)
