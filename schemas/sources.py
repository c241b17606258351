"""Sources: who may send events, from a validated file."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from phonenumbers import SUPPORTED_REGIONS
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from schemas.definitions import read_yaml, validate
from schemas.event import Channel

PRESET = Path(__file__).parent / "presets" / "sources.yaml"
_KEY = re.compile(r"[\x21-\x7e]{8,200}")


class Source(BaseModel):
    """One source: an SDK in an app, a shop, an importer."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")
    write_key: SecretStr
    channel: Channel
    enabled: bool = True
    phone_region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = Field(
        None, description="region of phone numbers without a country code"
    )
    trusted: bool = Field(
        False, description="a server of your own; a key that stands in a browser or app is not"
    )
    namespaces: tuple[str, ...] | Literal["all"] = Field("all", description="namespaces it may assert")

    @field_validator("phone_region")
    @classmethod
    def _region_is_known(cls, region: str | None) -> str | None:
        if region is not None and region not in SUPPORTED_REGIONS:
            raise ValueError(f"no region {region!r} has phone numbers; ISO 3166, as GB")
        return region

    @model_validator(mode="after")
    def _key_is_usable(self) -> Self:
        if not _KEY.fullmatch(self.write_key.get_secret_value()):
            raise ValueError("write_key needs 8 to 200 printable characters without spaces")
        return self


class Sources(BaseModel):
    """The sources file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    sources: tuple[Source, ...] = Field(min_length=1, max_length=10_000)

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
