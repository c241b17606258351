"""What the views know of a customer's identifiers, for those who work on identity."""

import re
from typing import Any, NamedTuple
from uuid import UUID

from clickhouse_driver import Client

from projections.profile import NOT_HERE
from schemas.errors import ConfigError, NotFound
from schemas.identity import Keys

DIGEST = re.compile(r"[0-9a-f]{32}")


class Customer(NamedTuple):
    """A customer at present.

    `keys`: greatest first. `names`: key -> `namespace:value`, where the clear value is known. `root` names the set of
    connected identifiers that they belong to.
    """

    id: str
    stage: str
    keys: list[str]
    names: dict[str, str]
    former: list[str]
    root: str


class Identifier(NamedTuple):
    """An identifier as an operator named it: its key, whose it is (nobody's, where nobody has it yet), and its root."""

    given: str
    key: str
    customer_id: str | None
    root: str


class Pair(NamedTuple):
    """Two identifiers, all that was stated of those connected with either, and whose each of these is."""

    ends: tuple[Identifier, Identifier]
    statements: list[dict[str, Any]]
    owners: dict[str, str]


def identifier(client: Client, keys: Keys, given: str, where: str) -> Identifier:
    """The identifier that `namespace:value` means, in clear or as a key; ConfigError where it can be none."""
    namespace, _, value = given.partition(":")
    literal = [given] if DIGEST.fullmatch(value) else []
    try:
        meant = [keys.key(namespace, value)[0], *literal]
    except ValueError as error:
        if not literal:
            raise ConfigError(f"{given} is no identifier: {error}", where, _namespaces(keys)) from None
        meant = literal
    for key in meant:
        if found := _owner(client, key):
            return Identifier(given, key, *found)
    return Identifier(given, meant[0], None, "")


def customer(client: Client, keys: Keys, given: str) -> tuple[Customer, str]:
    """The customer of an id, present or former, or of an identifier, and its key; NotFound where there is none."""
    try:
        (id_, _), key = _owner(client, str(UUID(given))) or (None, ""), ""
    except ValueError:
        _, key, id_, _ = identifier(client, keys, given, "CUSTOMER")
    found = [] if id_ is None else customers(client, keys, [id_])
    if not found:
        raise NotFound(f"nobody is known as {given}", "profiles", NOT_HERE)
    return found[0], key


def customers(client: Client, keys: Keys, ids: list[str]) -> list[Customer]:
    """The customers of present ids."""
    if not ids:
        return []
    rows = client.execute(
        "SELECT p.customer_id, p.stage, p.keys, p.identifiers, p.former_ids, i.root FROM profiles AS p "
        "LEFT ANY JOIN identities AS i ON i.key = toString(p.customer_id) "
        "WHERE p.customer_id IN (SELECT toUUID(arrayJoin(splitByChar(' ', %(ids)s))))",
        {"ids": " ".join(ids)},
    )
    return [
        Customer(str(id_), stage, sorted(mine, key=keys.order), _names(keys, clear), list(map(str, former)), root)
        for id_, stage, mine, clear, former, root in rows
    ]  # fmt: skip


def pair(client: Client, keys: Keys, one: str, two: str) -> Pair:
    """Two identifiers as an operator named them, the greater first, with all that is connected with either."""
    ends = sorted(
        (identifier(client, keys, one, "A"), identifier(client, keys, two, "B")),
        key=lambda end: keys.order(end.key),
    )
    roots = sorted({end.root for end in ends if end.root})
    found = {
        (each["kind"], each["greater"], each["lesser"]): each
        for root in roots
        for each in graph(client, root)
    }
    return Pair((ends[0], ends[1]), list(found.values()), _owners(client, roots))


def readable(end: Identifier, clear: dict[str, str]) -> Identifier:
    """What was named by its key, by its value where that is known: key -> value."""
    return end._replace(given=clear.get(end.key, end.given)) if end.given == end.key else end


def graph(client: Client, root: str) -> list[dict[str, Any]]:
    """Every statement about a set of connected identifiers, in order of time, with the event that made it."""
    rows, columns = client.execute(
        "SELECT l.greater AS greater, l.lesser AS lesser, l.kind AS kind, l.stated_at AS stated_at, "
        "l.source AS source, l.message_id AS message_id, l.verdict AS verdict, "
        "l.greater_customer_id AS greater_customer_id, l.lesser_customer_id AS lesser_customer_id, e.name AS name, "
        "JSONExtractString(e.properties, 'because') AS because FROM identity_links AS l "
        "LEFT ANY JOIN (SELECT key, source, message_id, name, properties FROM events WHERE key IN "
        "(SELECT greater FROM identity_links WHERE root = %(root)s)) AS e "
        "ON e.key = l.greater AND e.source = l.source AND e.message_id = l.message_id "
        "WHERE l.root = %(root)s ORDER BY stated_at, message_id, greater, lesser",
        {"root": root},
        with_column_types=True,
    )
    return [{name: value for (name, _), value in zip(columns, row, strict=True)} for row in rows]


def _owners(client: Client, roots: list[str]) -> dict[str, str]:
    rows = client.execute(
        "SELECT key, customer_id FROM identities "
        "WHERE has(splitByChar(' ', %(roots)s), root) AND namespace != 'customer_id'",
        {"roots": " ".join(roots)},
    )
    return {key: str(id_) for key, id_ in rows}


def _owner(client: Client, key: str) -> tuple[str, str] | None:
    """Whose a key is, or a customer_id, and its root."""
    rows = client.execute("SELECT customer_id, root FROM identities WHERE key = %(key)s", {"key": key})
    return (str(rows[0][0]), rows[0][1]) if rows else None


def _names(keys: Keys, clear: dict[str, list[str]]) -> dict[str, str]:
    """Clear values by key; a value of older rules that has no key any more is left out."""
    found = {}
    for namespace, values in clear.items():
        for value in values:
            try:
                found[keys.key(namespace, value)[0]] = f"{namespace}:{value}"
            except ValueError:
                continue
    return found


def _namespaces(keys: Keys) -> str:
    names = ", ".join(f"{n.name}/SCOPE" if n.scoped else n.name for n in keys.rules.namespaces)
    return f"namespaces are: {names}; phone numbers with their country code"
