"""What `cdp plan` prints."""

from datetime import UTC, datetime

import typer
import yaml
from rich.console import Console
from rich.table import Table

from deploy.init import joined
from deploy.plans.change import check_source
from deploy.plans.trial import Trial
from deploy.sources.log import read
from deploy.terminal import plain
from ingest.rules import legible
from schemas.errors import NotFound
from schemas.plan import PREFIX, Plan, Planned
from schemas.settings import Settings

MOST = 40
"""Rules that are shown; what is more is counted."""


def trial(plan: Planned, found: Trial, days: int) -> None:
    """What a plan would do with the events of the last days."""
    _say(f"{found.events:,} events of {plan.source} in {days} days: {found.rejected:,} would be rejected, "
         f"{found.marked:,} accepted and marked")  # fmt: skip
    if found.again:
        _say(f"{found.accepted:,} of {found.again:,} that plans rejected meanwhile would be accepted now")
    ordered = sorted(
        found.rules.items(), key=lambda item: (not item[0].reject, -item[1].events, item[0].name)
    )
    for rule, broken in ordered[:MOST]:
        does = "rejected" if rule.reject else "marked"
        _say(f"  {does:<8} {broken.events:>9,}  {rule.name}{_there_are(plan, rule.name)}")
        _say(f"  {'':18}  as {', '.join(broken.examples)}")
    if len(ordered) > MOST:
        _say(f"  and {len(ordered) - MOST:,} rules more")


def _there_are(plan: Planned, rule: str) -> str:
    """The versions that a plan has of the event of a rule `EVENT version`."""
    versions = sorted(e.version for e in plan.events if rule == f"{legible(e.name)} version")
    return f": the plan has {', '.join(map(str, versions))}" if versions else ""


def plan(settings: Settings, source: str) -> None:
    """The plan in force of a source, as a file that could be published."""
    newest = versions(settings, source)[-1]
    fields = {
        "kind": "plan",
        **newest.model_dump(mode="json", exclude_defaults=True, include=set(Planned.model_fields)),
    }
    _say(f"# version {newest.version}, {_day(newest)}: {newest.because}")
    typer.echo(yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=110), nl=False)


def past(settings: Settings, source: str) -> None:
    """Every version of a source's plan."""
    table = Table("version", "published", "events", "because", box=None, header_style="dim", pad_edge=False)
    for each in versions(settings, source):
        table.add_row(str(each.version), _day(each), str(len(each.events)), plain(each.because))
    Console().print(table, highlight=False, markup=False, soft_wrap=True)


def versions(settings: Settings, source: str) -> list[Plan]:
    """Every plan of a source, the one in force last; NotFound where there is none, or no such source."""
    joined(settings)
    there = read(settings)
    found = [
        Plan.model_validate_json(value)
        for key, value in there.items()
        if key.startswith(f"{PREFIX}{source}/")
    ]
    if not found:
        check_source(there, source)
        raise NotFound("this source has no tracking plan", source, "`cdp plan publish FILE` gives it one")
    return sorted(found, key=lambda each: each.version)


def _say(line: str) -> None:
    typer.echo(plain(line).plain)


def _day(plan: Plan) -> str:
    return f"{datetime.fromtimestamp(plan.published_at / 1000, UTC):%Y-%m-%d %H:%M:%SZ}"
