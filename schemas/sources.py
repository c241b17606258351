"""Sources: who may send events.

A file declares those that a deployment starts with (`Declared`); in force is what `cdp.sources.v1` has (`Source`).
"""

import re
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from phonenumbers import SUPPORTED_REGIONS
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from schemas.definitions import read_yaml, validate
from schemas.event import Channel, Millis
from schemas.plain import MAX_REASON

PRESET = Path(__file__).parent / "presets" / "sources.yaml"
PREFIX = "source/"
"""Of the keys of sources in the log."""
MAX_KEY = 200
MAX_KEYS = 20
"""Write keys that the record of a source may have."""
_USUAL_PORT = re.compile(r"^(http://[^:]+):80$|^(https://[^:]+):443$")
_KEY = re.compile(rf"[\x21-\x7e]{{8,{MAX_KEY}}}")
ConfigName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
ConfigValue = Annotated[str, Field(min_length=1, max_length=500)]
Origin = Annotated[str, Field(pattern=r"^https?://(\*\.)?[a-z0-9.-]+(:[0-9]{1,5})?$", max_length=200)]


class Enrichment(BaseModel):
    """What ingest adds to a source's events; what the sender stated itself is never replaced."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    agent: bool = Field(True, description="browser, system and device, from the user agent: `context.agent`")
    campaign: bool = Field(True, description="the page's utm parameters: `context.campaign`")
    referrer: bool = Field(True, description="what kind of page led here: `context.referrer.class`")
    bots: bool = Field(True, description="events of crawlers are marked, and folded into nobody")
    ip: Literal["truncate", "keep", "drop"] = Field(
        "truncate", description="the address of a browser or app: its network only, whole, or not at all"
    )
    geo: bool = Field(
        True, description="`context.location`, where the deployment has a MaxMind file (CDP_GEO)"
    )


class Terms(BaseModel):
    """What holds for a source, however its keys are kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")
    channel: Channel
    enabled: bool = True
    phone_region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = Field(
        None, description="region of phone numbers without a country code"
    )
    trusted: bool = Field(
        False, description="a server of your own; a key that stands in a browser or app is not"
    )
    namespaces: tuple[str, ...] | Literal["all"] = Field("all", description="namespaces it may assert")
    origins: tuple[Origin, ...] | Literal["any"] = Field(
        "any", description="web origins whose pages may send: https://shop.example, https://*.shop.example"
    )
    rate: int | None = Field(None, ge=1, description="events a second, of each ingest process")
    quota: int | None = Field(
        None, ge=1, le=10**12, description="events a calendar day, of the whole deployment"
    )
    enrichment: Enrichment = Enrichment()
    adapter: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")] | None = Field(
        None, description="who sends to /hooks/NAME, in a format of their own; nobody where left out"
    )
    config: dict[ConfigName, ConfigValue] = Field(
        {}, max_length=50, description="what the adapter is told; nothing secret"
    )

    @field_validator("phone_region")
    @classmethod
    def _region_is_known(cls, region: str | None) -> str | None:
        if region is not None and region not in SUPPORTED_REGIONS:
            raise ValueError(f"no region {region!r} has phone numbers; ISO 3166, as GB")
        return region

    @field_validator("origins")
    @classmethod
    def _as_browsers_write_them(
        cls, origins: tuple[str, ...] | Literal["any"]
    ) -> tuple[str, ...] | Literal["any"]:
        if origins == "any":
            return origins
        return tuple(_USUAL_PORT.sub(r"\1\2", origin) for origin in origins)


class Declared(Terms):
    """A source as a file declares it, with its write key in clear."""

    write_key: SecretStr

    @model_validator(mode="after")
    def _key_is_usable(self) -> Self:
        if not _KEY.fullmatch(self.write_key.get_secret_value()):
            raise ValueError("write_key needs 8 to 200 printable characters without spaces")
        return self


class WriteKey(BaseModel):
    """A write key as the log has it: its keyed digest, never the key."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    digest: str = Field(pattern=r"^[0-9a-f]{32}$")
    since: Millis
    until: Millis | None = Field(None, description="when it stops being taken: the end of its grace")

    @property
    def fingerprint(self) -> str:
        """What people tell two keys apart by."""
        return self.digest[:8]

    def taken(self, now: int) -> bool:
        """Whether it is taken at an instant, Unix ms."""
        return self.until is None or now < self.until


class Source(Terms):
    """A source in force: the record `source/NAME` of `cdp.sources.v1`, of which the newest holds."""

    v: Literal[1] = 1
    keys: tuple[WriteKey, ...] = Field(min_length=1, max_length=MAX_KEYS, description="the newest last")
    changed_at: Millis
    because: str = Field("", max_length=MAX_REASON)


class Usage(BaseModel):
    """Events of a source that one ingest process took in one day: the record `DAY/SOURCE/PROCESS` of `cdp.usage.v1`.

    A process writes its own only; the sum over all processes is what a quota is held against.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    v: Literal[1] = 1
    events: int = Field(ge=0)


def key_of(name: str) -> str:
    """The record key of a source: `source/web`."""
    return PREFIX + name


def key_digest(secret: str, write_key: str) -> str:
    """The keyed digest (BLAKE2b, 128 bits) by which a deployment knows a write key."""
    return blake2b(
        write_key.encode(), key=secret.encode()[:64], digest_size=16, person=b"cdp-write-key"
    ).hexdigest()


def day_of(now: int, timezone: str) -> str:
    """The calendar day of an instant (Unix ms), by which usage is counted: 2026-12-31."""
    return datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(timezone)).date().isoformat()


def usage_key(day: str, source: str, process: str) -> str:
    """The record key of what a process took."""
    return f"{day}/{source}/{process}"


class Sources(BaseModel):
    """The sources file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    sources: tuple[Declared, ...] = Field(min_length=1, max_length=10_000)

    @model_validator(mode="after")
    def _names_and_keys_are_unique(self) -> Self:
        names = [s.name for s in self.sources]
        if len(set(names)) < len(names):
            raise ValueError(f"named twice: {', '.join(sorted({n for n in names if names.count(n) > 1}))}")
        if len({s.write_key.get_secret_value() for s in self.sources}) < len(names):
            raise ValueError("two sources share a write key")
        return self


def load(path: Path | None) -> Sources:
    """The sources of a file, or the local preset; ConfigError names the place of each fault."""
    where = path or PRESET
    return validate(Sources, read_yaml(where), str(where))
