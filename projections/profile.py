"""One customer, for `cdp profile show IDENTIFIER`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from clickhouse_driver import Client

from projections.connect import connect, retried
from schemas.errors import ConfigError, NotFound
from schemas.identity import Keys
from schemas.settings import Settings

PATIENCE = 10.0
NOT_HERE = (
    "what was sent a moment ago takes a second to be here; or what it sent was marked as a bot's: "
    "the view bot_events"
)


@dataclass(frozen=True, slots=True)
class Period:
    """A stay in a stage; `valid_to` is None while it lasts."""

    stage: str
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class Label:
    """What the customer is: a tag, segment, role or value (`kind`), and the definition that says so."""

    kind: str
    name: str
    value: str
    since: datetime
    definition: str


@dataclass(frozen=True, slots=True)
class Profile:
    """One row of the `profiles` view by column name, the customer's way through the stages, and the portrait."""

    columns: dict[str, Any]
    periods: tuple[Period, ...]
    portrait: tuple[Label, ...]


def show(settings: Settings, identifier: str, keys: Keys | None) -> Profile:
    """The profile of `namespace:value`, any identifier of the customer, or of a customer_id, present or former.

    `keys` turns the identifier into its key; a customer_id needs none. ConfigError where the identifier is none,
    NotFound where nobody has it, Unavailable where ClickHouse cannot be reached.
    """
    key = _id(identifier) or _key(identifier, keys)
    with connect(settings) as client:
        found = retried(settings, lambda: _read(client, key), PATIENCE)
    if found is None:
        raise NotFound(f"nobody is known as {identifier}", "profiles", NOT_HERE)
    return found


def _id(identifier: str) -> str | None:
    """A customer_id as `identities` has it."""
    try:
        return str(UUID(identifier))
    except ValueError:
        return None


def _key(identifier: str, keys: Keys | None) -> str:
    namespace, colon, value = identifier.partition(":")
    if not colon or keys is None:
        raise ConfigError(
            f"not an identifier: {identifier}", "IDENTIFIER", "as email:a@b.c, or a customer_id"
        )
    try:
        return keys.key(namespace, value)[0]
    except ValueError as error:
        known = ", ".join(known.name for known in keys.rules.namespaces)
        raise ConfigError(str(error), "IDENTIFIER", f"namespaces are: {known}") from None


def _read(client: Client, key: str) -> Profile | None:
    owner = client.execute("SELECT customer_id FROM identities WHERE key = %(key)s", {"key": key})
    if not owner:
        return None
    parameters = {"customer": str(owner[0][0])}
    rows, names = client.execute(
        "SELECT * FROM profiles WHERE customer_id = %(customer)s", parameters, with_column_types=True
    )
    if not rows:
        return None
    periods = client.execute(
        "SELECT stage, valid_from, valid_to FROM lifecycle_periods WHERE customer_id = %(customer)s "
        "ORDER BY sequence",
        parameters,
    )
    labels = client.execute(
        "SELECT kind, name, value, since, definition FROM portraits WHERE customer_id = %(customer)s "
        "ORDER BY kind, name",
        parameters,
    )
    columns = {name: value for (name, _), value in zip(names, rows[0], strict=True)}
    return Profile(
        columns, tuple(Period(*period) for period in periods), tuple(Label(*label) for label in labels)
    )
