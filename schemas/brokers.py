"""Where a mapping's rows come from, where that is no file: an MQTT broker, or a Kafka that is not ours.

What is secret is no part of it: a source's password is found by name, as the secrets of its adapter are.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from schemas.picks import Document

Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,100}$")]
OWN = frozenset(
    ("topic", "payload", "properties", "packet", "partition", "offset", "key", "timestamp", "headers")
)
"""What stands in a row beside the payload, each after a `$`; levels of a topic have other names."""
_LEVEL = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def _filter(given: str) -> str:
    levels = given.split("/")
    named = [found[1] for level in levels if (found := _LEVEL.fullmatch(level))]
    for number, level in enumerate(levels):
        last = number == len(levels) - 1
        if not (level in ("", "+") or (level == "#" and last) or _LEVEL.fullmatch(level)) and set(
            level
        ) & set("+#{}"):
            raise ValueError(f"{level!r} must be a whole level: {{name}}, + or, as the last, #")
    if len(set(named)) < len(named) or OWN & set(named):
        raise ValueError(f"each level needs a name of its own, which is none of {', '.join(sorted(OWN))}")
    if given.startswith("$share/"):
        raise ValueError("write share: GROUP beside it")
    return given


class Tls(Document):
    """How the other side is trusted, and how it may know us; paths of PEM files."""

    ca: str | None = Field(
        None, description="who signed its certificate; the system's authorities where left out"
    )
    certificate: str | None = Field(None, description="our own, where it asks for one")
    key: str | None = Field(None, description="the key of our certificate")

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together")
        return self


class Mqtt(Document):
    """An MQTT 5 broker, and what is subscribed to there."""

    host: str = Field(min_length=1, max_length=255)
    port: int | None = Field(None, ge=1, le=65535, description="1883 where left out, with tls 8883")
    tls: Tls | None = None
    user: str | None = Field(None, description="its password is the secret `mqtt_password` of the source")
    client: Name | None = Field(None, description="client id; NAMESPACE-NAME where left out")
    share: Name | None = Field(None, description="group of several processes that take turns")
    topics: tuple[Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_filter)], ...] = (
        Field(min_length=1, max_length=100, description="filters; a level {name} is the column `$name`")
    )


class Kafka(Document):
    """A Kafka cluster of somebody else, and what is read there."""

    servers: tuple[Annotated[str, Field(pattern=r"^[^:\s]+:[0-9]{1,5}$")], ...] = Field(
        min_length=1, max_length=50
    )
    topics: tuple[Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,249}$")], ...] = Field(
        min_length=1, max_length=100
    )
    group: Name | None = Field(None, description="consumer group; NAMESPACE-NAME where left out")
    start: Literal["earliest", "latest"] = Field("earliest", description="where a new group begins")
    tls: Tls | None = None
    user: str | None = Field(None, description="its password is the secret `kafka_password` of the source")
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "PLAIN", description="of SASL, where there is a user"
    )
