"""What is written on a command line about a source's terms, as the fields that it changes."""

import re
from typing import Any

from schemas.errors import ConfigError
from schemas.event import Channel
from schemas.sources import Enrichment

UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
MAX_GRACE = 366 * UNITS["d"]
NONE = "none"
SWITCH = {"on": True, "off": False}


def terms(
    channel: Channel | None = None,
    trusted: bool | None = None,
    namespaces: str | None = None,
    origins: list[str] | None = None,
    rate: str | None = None,
    quota: str | None = None,
    phone_region: str | None = None,
    enrich: list[str] | None = None,
    adapter: str | None = None,
    config: list[str] | None = None,
) -> dict[str, Any]:
    """The fields of `schemas.sources.Terms` that were given; what stands there wrongly is told by the model."""
    given: dict[str, Any] = {
        "channel": channel,
        "trusted": trusted,
        "namespaces": None if namespaces is None else _listed(namespaces.split(","), "all"),
        "origins": _listed(origins, "any") if origins else None,
        "enrichment": dict(map(_switched, enrich)) if enrich else None,
        "config": dict(map(_configured, config)) if config else None,
    }
    found = {name: value for name, value in given.items() if value is not None}
    ends = (("rate", rate), ("quota", quota), ("phone_region", phone_region), ("adapter", adapter))
    for name, value in ends:
        if value is not None:
            found[name] = None if value == NONE else value
    return found


def grace(text: str) -> int:
    """How long old keys are still taken, in ms: 7d, 12h, 30m, 45s, 0."""
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", "0s" if text == "0" else text)
    length = int(found[1]) * UNITS[found[2]] if found else MAX_GRACE + 1
    if length > MAX_GRACE:
        raise ConfigError(
            f"not a time that keys can be in grace: {text!r}", "--grace", "as 7d, 12h, 30m or 0"
        )
    return length


def _listed(names: list[str], everything: str) -> list[str] | str:
    stripped = [name.strip() for name in names if name.strip()]
    return everything if stripped == [everything] else stripped


def _configured(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise ConfigError(f"not a name and its value: {name!r}", "--config", "as shop=acme.myshopify.com")
    return name.strip(), value.strip()


def _switched(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    if name not in Enrichment.model_fields or not value:
        known = ", ".join(f"{each}=on" for each in Enrichment.model_fields if each != "ip")
        raise ConfigError(f"nothing to enrich: {text!r}", "--enrich", f"as {known}, ip=truncate; or off")
    return name, SWITCH.get(value, value)
