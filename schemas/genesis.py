"""Genesis: the first record of `cdp.definitions.v1` fixes what can never change in a deployment."""

from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import ConfigError, GenesisMismatch
from schemas.identity import fingerprint
from schemas.settings import Settings

KEY = "genesis"


class Genesis(BaseModel):
    """What a deployment was founded with."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    v: Literal[1] = 1
    deployment: str = Field(description="id of the deployment, a UUID")
    partitions: int
    timezone: str
    currency: str
    key_fingerprint: str
    created_at: int


def check_settings(settings: Settings) -> None:
    """ConfigError where settings can found or join no deployment at all."""
    secret = settings.key_secret.get_secret_value()
    if len(secret) < 32:
        raise ConfigError(
            "the key secret needs 32 characters or more", "CDP_KEY_SECRET", "openssl rand -hex 32"
        )
    try:
        ZoneInfo(settings.timezone)
    except (KeyError, ValueError, OSError):
        raise ConfigError(
            f"unknown time zone {settings.timezone!r}", "CDP_TIMEZONE", "as Europe/Berlin"
        ) from None


def found(settings: Settings, deployment: str, created_at: int) -> Genesis:
    """The genesis of a new deployment under these settings."""
    return Genesis(
        deployment=deployment,
        partitions=settings.partitions,
        timezone=settings.timezone,
        currency=settings.currency,
        key_fingerprint=fingerprint(settings.key_secret.get_secret_value()),
        created_at=created_at,
    )


def check(genesis: Genesis, settings: Settings) -> None:
    """GenesisMismatch, naming every setting that contradicts genesis."""
    ours = found(settings, genesis.deployment, genesis.created_at)
    names = {"partitions": "CDP_PARTITIONS", "timezone": "CDP_TIMEZONE", "currency": "CDP_CURRENCY"}
    faults = [
        f"{setting} is {getattr(ours, name)}, the deployment was founded with {getattr(genesis, name)}"
        for name, setting in names.items()
        if getattr(ours, name) != getattr(genesis, name)
    ]
    if ours.key_fingerprint != genesis.key_fingerprint:
        faults.append("CDP_KEY_SECRET is not the secret that the deployment was founded with")
    if faults:
        raise GenesisMismatch("; ".join(faults), KEY, "set them back: what genesis fixes can never change")
