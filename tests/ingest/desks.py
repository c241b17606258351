"""A desk, and one event taken in at it, for the pure tests."""

from typing import Any

import orjson

from ingest.accept import Accepted, accept
from ingest.bodies import parse
from ingest.canonical import Arrival, Desk, desk
from ingest.envelopes import open_body
from ingest.identifiers import Policy
from schemas.definitions import load
from schemas.event import Event
from schemas.identity import IdentityRules, Keys
from schemas.rejected import Rejection
from tests.processes import SECRET

NOW = 1_790_000_000_000
"""2026-09-21T14:13:20Z."""


def keys() -> Keys:
    rules = load("default", "identity")
    assert isinstance(rules, IdentityRules)
    return Keys(rules, SECRET)


KEYS = keys()


def desk_of(*namespaces: str, region: str | None = None, trusted: bool = False) -> Desk:
    """The desk of a source that may assert these namespaces; all where none is named."""
    return desk("shop", "ecommerce", "EUR", Policy(KEYS, 8, frozenset(namespaces) or None, region, trusted))


ANY = desk_of()


def take(body: bytes, kind: str | None = None, at: Desk = ANY, header: str | None = None) -> Accepted:
    """A whole body, as the server takes it in."""
    messages, arrival = open_body(parse(body), kind, (NOW, "request", header))
    return accept(messages, at, arrival)


def event(message: dict[str, Any] | bytes, at: Desk = ANY, **envelope: Any) -> Event:
    """The one accepted event of a batch of one, held to the contract."""
    accepted = take(_body(message, envelope), at=at)
    assert not accepted.refused, accepted.refused
    ((identity, value),) = accepted.events
    found = Event.model_validate_json(value)
    assert found.identifiers == identity.identifiers
    return found


def refusal(message: Any, at: Desk = ANY, **envelope: Any) -> Rejection:
    """The one rejection of a batch of one."""
    accepted = take(_body(message, envelope), at=at)
    assert not accepted.events
    ((rejection, _),) = accepted.refused
    return rejection


def record_keys(message: dict[str, Any], at: Desk = ANY) -> list[str]:
    """All keys of an event, greatest first."""
    ((identity, _),) = accept([message], at, Arrival(NOW, "request")).events
    (header,) = identity.headers
    found = header[1].decode().split(" ")
    assert found[0].encode() == identity.key
    return found


def _body(message: Any, envelope: dict[str, Any]) -> bytes:
    one = message if isinstance(message, bytes) else orjson.dumps(message)
    rest = orjson.dumps(envelope)[1:-1]
    return b'{"batch":[' + one + b"]" + (b"," + rest if rest else b"") + b"}"
