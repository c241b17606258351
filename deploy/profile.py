"""`cdp profile show`: one customer on the terminal."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table

from deploy import terminal
from deploy.init import joined
from deploy.reach import check
from deploy.records import read_all
from deploy.terminal import amount, plain
from projections.profile import Profile
from projections.profile import show as find
from schemas.identity import IdentityRules, Keys
from schemas.settings import Settings
from schemas.topics import DEFINITIONS

OF_THE_ROW = ("rev", "kafka_topic", "kafka_partition", "kafka_offset")
OF_THE_PORTRAIT = ("stage", "stage_since", "lifecycle", "tags", "segments", "roles", "tier")
SCORES = ("relationship", "frequency", "monetary")
KINDS = ("value", "role", "tag", "segment")
NOTHING = ("", "{}", "0", "0.00")
MANY = 10


def show(settings: Settings, identifier: str) -> None:
    """Print the profile of any identifier, or of a customer_id, present or former; NotFound where it is nobody's."""
    check(settings, kafka=":" in identifier)
    _tell(terminal.console(), find(settings, identifier, keys_of(settings) if ":" in identifier else None))


def keys_of(settings: Settings) -> Keys:
    """Identifiers to keys, as the deployment's own rules and secret have it; ConfigError where there is none."""
    check(settings)
    joined(settings)
    records = read_all(settings, DEFINITIONS.name(settings.namespace))
    rules = [IdentityRules.model_validate_json(v) for k, v in records.items() if k.startswith(b"identity/")]
    return Keys(max(rules, key=lambda rule: rule.version), settings.key_secret.get_secret_value())


def _tell(console: Console, profile: Profile) -> None:
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column()
    facts.add_column(overflow="fold")
    conflicts = [f"{reason}: {own} with {other}" for reason, own, other in profile.columns["conflicts"]]
    hidden = (*OF_THE_ROW, *OF_THE_PORTRAIT, *(f"{score}_score" for score in SCORES))
    for name, value in {**profile.columns, "conflicts": conflicts}.items():
        if name not in hidden and _text(value) not in NOTHING:
            facts.add_row(f"[dim]{name}[/dim]", plain(_text(value)))
    way = Table("stage", "from", "to", box=None, header_style="dim", pad_edge=False)
    for period in profile.periods:
        way.add_row(period.stage, _text(period.valid_from), _text(period.valid_to or "now"))
    console.print(facts, highlight=False)
    console.print("\n[bold]Portrait[/bold]")
    console.print(portrait(profile), highlight=False)
    console.print("\n[bold]Way through the stages[/bold]")
    console.print(way, highlight=False)


def portrait(profile: Profile) -> Table:
    """What the customer is: stage, tier with its scores, roles, tags and segments, each with since when and by what."""
    columns = profile.columns
    table = Table("", "", "", "since", "by", box=None, header_style="dim", pad_edge=False)
    table.add_row("stage", columns["stage"], "", _text(columns["stage_since"]), columns["lifecycle"])
    for kind in KINDS:
        for label in profile.portrait:
            if label.kind == kind:
                scores = _scores(columns) if kind == "value" else ""
                name, value = (label.value, scores) if kind == "value" else (label.name, label.value)
                table.add_row(kind, name, value, _text(label.since), label.definition)
    return table


def _scores(columns: dict[str, Any]) -> str:
    return ", ".join(f"{score} {columns[f'{score}_score']}" for score in SCORES)


def _text(value: Any) -> str:
    """A value as a human reads it; of many, the last few."""
    if isinstance(value, dict):
        return _several([f"{_text(name)}: {_text(each)}" for name, each in value.items()])
    if isinstance(value, list | tuple):
        return _several(list(map(_text, value)))
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, Decimal):
        return amount(value)
    return "" if value is None else str(value)


def _several(texts: list[str]) -> str:
    more = len(texts) - MANY
    return ", ".join(texts) if more <= 0 else f"{more} more, {', '.join(texts[more:])}"
