"""Who may send: a write key, wherever an SDK puts it, to the desk of its source. Pure."""

import base64
import binascii
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from ingest.canonical import Desk, desk
from ingest.identifiers import Policy
from ingest.problems import Problem
from schemas.identity import IdentityRules, Keys
from schemas.settings import Settings
from schemas.sources import Sources


class Doors:
    """The desks by write key; None where the source is disabled."""

    def __init__(self, sources: Sources, rules: IdentityRules, settings: Settings) -> None:
        keys = Keys(rules, settings.key_secret.get_secret_value())
        self._desks: dict[str, Desk | None] = {}
        for source in sources.sources:
            namespaces = None if source.namespaces == "all" else frozenset(source.namespaces)
            policy = Policy(keys, settings.partitions, namespaces, source.phone_region, source.trusted)
            opened = desk(source.name, source.channel, settings.currency, policy)
            self._desks[source.write_key.get_secret_value()] = opened if source.enabled else None

    def by_request(self, headers: Mapping[bytes, bytes], query: bytes) -> Desk | None:
        """The desk that the headers or the query name; None where they name no key at all."""
        key = basic(headers.get(b"authorization", b"")) or headers.get(b"x-write-key", b"").decode("latin-1")
        if not key and query:
            key = dict(parse_qsl(query.decode("latin-1"))).get("writeKey", "")
        return self.by_key(key) if key else None

    def by_key(self, key: Any) -> Desk:
        """The desk of a write key; Problem 401 where there is none, 404 where its source is disabled."""
        if not isinstance(key, str) or key not in self._desks:
            raise Problem(401, "unauthorized", "unknown write key")
        found = self._desks[key]
        if found is None:
            raise Problem(404, "source_disabled", "this source is disabled")
        return found


@lru_cache(maxsize=1_024)
def basic(authorization: bytes) -> str:
    """The user name of an HTTP Basic authorization, where SDKs put their write key; or empty."""
    scheme, _, encoded = authorization.strip().partition(b" ")
    try:
        return (
            base64.b64decode(encoded).decode("ascii").partition(":")[0] if scheme.lower() == b"basic" else ""
        )
    except (binascii.Error, UnicodeDecodeError):
        return ""
