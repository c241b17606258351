"""`cdp sources list | add | set | rotate | disable | enable`: who may send events, and on what terms."""

from typing import Annotated

import typer

from deploy.config import load_settings
from schemas.event import Channel

sources = typer.Typer(
    name="sources",
    no_args_is_help=True,
    help="Let sources send, change their terms and keys: in force everywhere within about a second.",
)
Name = Annotated[str, typer.Argument(help="As web, till or partner-1.")]
Because = Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; it stands in the log.")]
Kind = Annotated[Channel, typer.Option("--channel", help="Where its interactions happen.")]
MaybeKind = Annotated[Channel | None, typer.Option("--channel", help="Where its interactions happen.")]
Trusted = Annotated[
    bool | None,
    typer.Option(
        "--trusted/--untrusted", help="A server of your own; a key that stands in a browser or app is not."
    ),
]
Namespaces = Annotated[
    str | None,
    typer.Option(
        "--namespaces", metavar="NAME,...", help="Identifiers that it may assert; `all` where left out."
    ),
]
Origin = Annotated[
    list[str] | None,
    typer.Option(
        "--origin",
        metavar="ORIGIN",
        help="Origin whose pages may send, as https://shop.example or https://*.shop.example; give several, or `any`.",
    ),
]
Rate = Annotated[
    str | None,
    typer.Option("--rate", metavar="EVENTS", help="Events a second, of each ingest process; or `none`."),
]
Quota = Annotated[
    str | None,
    typer.Option(
        "--quota", metavar="EVENTS", help="Events a calendar day, of the whole deployment; or `none`."
    ),
]
Region = Annotated[
    str | None,
    typer.Option("--phone-region", metavar="XX", help="Of phone numbers without a country code; or `none`."),
]
Enrich = Annotated[
    list[str] | None,
    typer.Option(
        "--enrich",
        metavar="WHAT=ON",
        help="agent, campaign, referrer, bots or geo =on or =off, ip=truncate, keep or drop; give several.",
    ),
]
Grace = Annotated[
    str,
    typer.Option("--grace", metavar="TIME", help="How long its old keys are still taken: 7d, 12h, 30m, 0."),
]


@sources.command("list")
def list_() -> None:
    """Show the sources with their terms, today's use of quotas, and keys by fingerprint, never the keys."""
    from deploy.sources.shown import show

    show(load_settings())


@sources.command()
def add(
    name: Name,
    channel: Kind,
    because: Because,
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
    terms = given.terms(channel, trusted, namespaces, origin, rate, quota, phone_region, enrich)
    key = change.add(settings, {**terms, "name": name}, because)
    _hand_over(key, f"source {name} may send", settings.ingest_host, settings.ingest_port)


@sources.command("set")
def set_(
    name: Name,
    because: Because,
    channel: MaybeKind = None,
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

    _change(
        name, given.terms(channel, trusted, namespaces, origin, rate, quota, phone_region, enrich), because
    )


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
