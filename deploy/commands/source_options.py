"""The options of `cdp sources`."""

from typing import Annotated

import typer

from schemas.event import Channel

Name = Annotated[str, typer.Argument(help="As web, till or partner-1.")]
Because = Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; it stands in the log.")]
Kind = Annotated[
    Channel | None,
    typer.Option("--channel", help="Where its interactions happen; its adapter's, as a rule."),
]
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
Adapter = Annotated[
    str | None,
    typer.Option(
        "--adapter", metavar="KIND", help="Who sends to /hooks/NAME in a format of their own; or `none`."
    ),
]
Config = Annotated[
    list[str] | None,
    typer.Option(
        "--config", metavar="NAME=VALUE", help="What its adapter is told, nothing secret; give several."
    ),
]
Grace = Annotated[
    str,
    typer.Option(
        "--grace",
        metavar="TIME",
        help="How long its old keys are still taken: 7d, 12h, 30m; 0 for a leaked key.",
    ),
]
