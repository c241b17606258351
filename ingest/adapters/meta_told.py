"""What one message or change of Meta's tells, and how its parts are read. Pure."""

from typing import Any, NamedTuple

from ingest.bodies import original
from ingest.shapes import Fields


class Told(NamedTuple):
    """An event's name, whose it is, when, what it says, and what it is known by.

    `who` is a person's id within the account; None where the account itself is all that is known. `at` is a time as
    Meta writes it, None where only the entry has one. `visitor`: an id of somebody who is no more than that yet.
    """

    name: str
    who: str | None
    at: Any
    said: Fields
    known: tuple[str | bytes, ...]
    visitor: str = ""


def by(who: str | None, account: str, told: Told) -> Told:
    """What the account does itself is not a customer's doing: an Account Acted, of which `action` says what it is."""
    if who != account:
        return told
    return told._replace(name="Account Acted", said={**told.said, "action": told.name})


def fields(value: Any) -> Fields:
    """The value where it is an object, else nothing."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[Any]:
    """The items of a list; those that are no objects become one that says what they were."""
    items = value if isinstance(value, list) else []
    return [item if isinstance(item, dict) else {"value": item} for item in items]


def id_of(value: Any) -> str:
    """An id as text, which Meta writes as a number at times; empty where it is none."""
    if isinstance(value, dict):
        value = value.get("id")
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def name_of(network: str) -> str:
    """How events of an unknown kind begin."""
    return network.capitalize()


def whole(value: Any) -> str | bytes:
    """A value to know something by."""
    return value if isinstance(value, str) else original(value)


def given(said: Fields) -> Fields:
    """What is there of it."""
    return {name: value for name, value in said.items() if value is not None and value != ""}
