"""What adapters of shops read a body with: nothing in it is trusted to be there, or to be of its type. Pure."""

from decimal import Decimal
from hashlib import blake2b
from typing import Any

import orjson

from ingest.adapters.adapter import Hook
from ingest.bodies import parse
from ingest.canonical import MAX_MESSAGE_ID
from ingest.refusal import malformed
from schemas import money

Fields = dict[str, Any]
NOTHING: Fields = {}


def header(hook: Hook, name: bytes) -> str:
    """A header as text; empty where there is none."""
    return hook.headers.get(name, b"").decode("latin-1")


def parsed(body: bytes) -> Fields:
    """The object in a body; Refusal where there is none. Amounts are texts or whole numbers: orjson loses none."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = parse(body)
    if not isinstance(found, dict):
        raise malformed("not an object")
    return found


def fields(value: Any) -> Fields:
    """The value where it is an object, else nothing."""
    return value if isinstance(value, dict) else NOTHING


def objects(value: Any) -> list[Fields]:
    """The objects of a list, else none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def id_of(value: Any) -> str:
    """An id as text; empty where it is none, and for the 0 by which shops mean nobody."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value) if value not in (0, "0") else ""


def text(value: Any) -> str | None:
    """The value where it is a text with something in it."""
    return value if isinstance(value, str) and value else None


def amount(value: Any) -> str:
    """An amount as the sender wrote it; an empty text where there is none, which `accept` refuses as an amount."""
    if isinstance(value, str):
        return value
    return "" if isinstance(value, bool) or not isinstance(value, int | float | Decimal) else str(value)


def exactly(value: Any) -> Decimal:
    """The exact amount; 0 where there is none."""
    try:
        return money.parse(value)
    except ValueError:
        return Decimal(0)


def given(**values: Any) -> Fields:
    """Those of the values that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def named(*parts: str) -> str:
    """A messageId of these parts."""
    whole = "/".join(parts)
    return whole if len(whole) <= MAX_MESSAGE_ID else short(whole, 32)


def short(value: str, size: int = 4) -> str:
    """A digest of a text, of so many bytes, in hex."""
    return blake2b(value.encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()


def words(kind: str) -> str:
    """`fulfillment_events.create` as a name: Fulfillment Events Create."""
    return " ".join(
        word.capitalize() for word in kind.replace("/", " ").replace(".", " ").replace("_", " ").split()
    )
