"""Settings of every process, read from the environment (`CDP_*`) once, in the shell of each command.

What also stands in genesis (partitions, time zone, currency, key secret) must agree with it: a process
configured otherwise refuses to start (`schemas.genesis.check`).
"""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """All settings with their defaults: the local stack on loopback. `CDP_KAFKA=host:port` sets `kafka`."""

    model_config = SettingsConfigDict(env_prefix="CDP_", extra="ignore", frozen=True)

    home: Path = Field(
        Path(".cdp"), description="folder for everything that the local stack and workers write"
    )
    namespace: str = Field(
        "cdp", pattern=r"^[a-z][a-z0-9-]*$", description="first part of every topic and group name"
    )

    kafka: str = Field("127.0.0.1:9092", description="bootstrap servers, host:port[,host:port]")
    partitions: int = Field(
        8, ge=1, le=4096, description="of events, commands, state and changes; fixed by genesis"
    )
    replication: int = Field(1, ge=1, description="replication factor of new topics")

    clickhouse_host: str = Field("127.0.0.1", description="ClickHouse server")
    clickhouse_port: Port = Field(9000, description="native protocol")
    clickhouse_http_port: Port = Field(8123, description="HTTP protocol, for analysts' clients")
    clickhouse_database: str = Field(
        "cdp", pattern=r"^[a-z][a-z0-9_]*$", description="database of the projections"
    )
    clickhouse_user: str = Field(
        "cdp", pattern=r"^[a-z][a-z0-9_]*$", description="user that migrates and writes"
    )
    clickhouse_password: SecretStr = Field(SecretStr("cdp"), description="its password")
    analyst_user: str = Field(
        "analyst", pattern=r"^[a-z][a-z0-9_]*$", description="read-only user for analysts"
    )
    analyst_password: SecretStr = Field(SecretStr("analyst"), description="its password")

    ingest_host: str = Field("127.0.0.1", description="address that ingest listens on")
    ingest_port: Port = Field(8080, description="HTTP port of ingest")
    sources: Path | None = Field(
        None, description="file of the sources that `cdp init` adds; those of the local stack where left out"
    )
    secrets: Path | None = Field(
        None,
        description="folder of what adapters verify their senders by, a file SOURCE/NAME each; CDP_SECRET_SOURCE_NAME "
        "where there is no such file",
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=10,
        description="proxies of your own before ingest that add to X-Forwarded-For: a browser's address is the one "
        "that the first of them saw",
    )
    geo: Path | None = Field(
        None, description="MaxMind file (.mmdb, City or Country), for `context.location` of events"
    )

    timezone: str = Field("UTC", description="IANA time zone in which a day is a day; fixed by genesis")
    currency: str = Field(
        "USD", pattern=r"^[A-Z]{3}$", description="ISO 4217 code of amounts that name none; fixed by genesis"
    )
    key_secret: SecretStr = Field(
        SecretStr(""), description="key of the identifier digests, 32 characters or more; fixed by genesis"
    )
    lifecycle: str = Field(
        "ecommerce", description="lifecycle of a new deployment: a preset's name or a YAML file"
    )
    definitions: str = Field(
        "",
        description="tags, segments, roles and value of a new deployment: a preset's name or a folder; the preset of "
        "the lifecycle's name where left out",
    )
    identity: str = Field(
        "default", description="identity rules of a new deployment: `default` or a YAML file"
    )

    instance: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]{0,100}$",
        description="name of this process, which no other of its command has: after a kill its successor takes over "
        "at once instead of after Kafka's session timeout",
    )
    workers: int = Field(1, ge=1, le=64, description="worker processes that `cdp up` runs")
    max_rejected_share: float = Field(
        0.2,
        gt=0,
        le=1,
        description="a worker stops when it rejects more than this share of its last 10,000 records",
    )
