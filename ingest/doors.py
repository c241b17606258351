"""Who may send, and on what terms: a write key, wherever an SDK puts it, to the door of its source. Pure.

What is known is what the records of `cdp.sources.v1` said last (`apply`), and holds until they say something else.
"""

import base64
import binascii
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any
from urllib.parse import parse_qsl

from ingest.canonical import Desk, Enrich, Plan, desk
from ingest.identifiers import Policy
from ingest.limits import Limits
from ingest.problems import Problem
from ingest.usage import Tally
from schemas.identity import IdentityRules, Keys
from schemas.plan import PREFIX as PLAN
from schemas.settings import Settings
from schemas.sources import MAX_KEY, PREFIX, Source, key_digest

TOLD_APART = ("channel", "phone_region", "trusted", "namespaces")
"""What of a source its desk is made of: another change leaves the desk what it remembers."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where a source comes in: its record, the desk that takes its events, and its limits."""

    source: Source
    desk: Desk
    limits: Limits
    pages: re.Pattern[str] | None
    """The web origins whose pages may send; any where None."""

    def admits(self, origin: str) -> bool:
        """Whether a page of this web origin may send as this source."""
        return self.pages is None or self.pages.fullmatch(origin) is not None


def no_enrichment(_: Source) -> Enrich | None:
    """Events as they come."""
    return None


class Doors:
    """The doors of all sources.

    `enrich` gives what enriches a source's events; `compiled` makes a plan of its record, ValueError where it is none;
    `now` is the clock by which a key's grace ends, Unix ms.
    """

    def __init__(
        self,
        rules: IdentityRules,
        settings: Settings,
        tally: Tally,
        enrich: Callable[[Source], Enrich | None] = no_enrichment,
        compiled: Callable[[bytes], Plan] | None = None,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        secret = settings.key_secret.get_secret_value()
        self._keys, self._settings, self._tally = Keys(rules, secret), settings, tally
        self._enrich, self._compiled, self._now = enrich, compiled, now
        self._digest = lru_cache(maxsize=4_096)(partial(key_digest, secret))
        self._allowed = lru_cache(maxsize=1_024)(self._allows)
        self._doors: dict[str, Door] = {}
        self._taken: dict[str, tuple[Door, int | None]] = {}
        self._plans: dict[str, tuple[int, Plan]] = {}

    def __len__(self) -> int:
        return len(self._doors)

    def by_request(self, headers: Mapping[bytes, bytes], query: bytes) -> Door | None:
        """The door that the headers or the query name; None where they name no key at all."""
        key = basic(headers.get(b"authorization", b"")) or headers.get(b"x-write-key", b"").decode("latin-1")
        if not key and query:
            key = dict(parse_qsl(query.decode("latin-1"))).get("writeKey", "")
        return self.by_key(key) if key else None

    def by_key(self, key: Any) -> Door:
        """The door of a write key; Problem 401 where it is none's (any more), 404 where its source is disabled."""
        # A digest never changes, so it may be remembered; whose it is, and until when, is asked each time.
        usable = type(key) is str and len(key) <= MAX_KEY and key.isascii()
        found = self._taken.get(self._digest(key)) if usable else None
        if found is None or (found[1] is not None and self._now() >= found[1]):
            raise Problem(401, "unauthorized", "unknown write key")
        return _enabled(found[0])

    def of(self, name: str) -> Door:
        """The door of a source, whatever way its events come; Problem 404 where there is none, or it is disabled."""
        door = self._doors.get(name)
        if door is None:
            raise Problem(404, "not_found", "there is no source of this name")
        return _enabled(door)

    def by_name(self, name: str) -> Door:
        """The door of a source that takes its events in by an adapter; Problem 404 where there is none that does."""
        door = self._doors.get(name)
        if door is None or door.source.adapter is None:
            raise Problem(404, "not_found", "no source of this name has an adapter")
        return _enabled(door)

    def allows_origin(self, origin: str) -> bool:
        """Whether pages of a web origin may send as any enabled source: all that a preflight can be told."""
        return self._allowed(origin)

    def apply(self, key: str, value: bytes | None) -> None:
        """Let a record of `cdp.sources.v1` hold from now on, or no more where it has no value.

        ValueError where it cannot be read: then what held before goes on.
        """
        if key.startswith(PREFIX):
            self._admit(key.removeprefix(PREFIX), value)
        elif key.startswith(PLAN):
            self._hold_to_plan(key, value)
        else:
            raise ValueError("neither a source nor a plan")

    def _admit(self, name: str, value: bytes | None) -> None:
        door = None if value is None else self._door(Source.model_validate_json(value))
        if before := self._doors.pop(name, None):
            for key in before.source.keys:
                self._taken.pop(key.digest, None)
        if door is not None:
            self._open(door)
        self._allowed.cache_clear()

    def _open(self, door: Door) -> None:
        self._doors[door.source.name] = door
        self._taken |= {key.digest: (door, key.until) for key in door.source.keys}

    def _door(self, source: Source) -> Door:
        before = self._doors.get(source.name)
        limits = before.limits if before else Limits(source.name, self._tally, self._settings.timezone)
        limits.hold(source.rate, source.quota)
        if before and all(getattr(before.source, field) == getattr(source, field) for field in TOLD_APART):
            opened = before.desk
        else:
            opened = desk(source.name, source.channel, self._settings.currency, self._policy(source))
        opened = replace(opened, enrich=self._enrich(source), plan=self._plan_of(source.name))
        return Door(source, opened, limits, _pages(source))

    def _policy(self, source: Source) -> Policy:
        namespaces = None if source.namespaces == "all" else frozenset(source.namespaces)
        return Policy(self._keys, self._settings.partitions, namespaces, source.phone_region, source.trusted)

    def _hold_to_plan(self, key: str, value: bytes | None) -> None:
        if self._compiled is None:
            return
        name, number = key.removeprefix(PLAN).rsplit("/", 1)
        version, held = int(number), self._plans.get(name)
        if held is not None and version < held[0]:
            return
        if value is not None:
            self._plans[name] = version, self._compiled(value)
        elif held is not None and version == held[0]:
            del self._plans[name]
        if door := self._doors.get(name):
            self._open(replace(door, desk=replace(door.desk, plan=self._plan_of(name))))

    def _plan_of(self, name: str) -> Plan | None:
        """The plan in force: the greatest version."""
        held = self._plans.get(name)
        return held[1] if held else None

    def _allows(self, origin: str) -> bool:
        return any(door.source.enabled and door.admits(origin) for door in self._doors.values())


def _enabled(door: Door) -> Door:
    if not door.source.enabled:
        raise Problem(404, "source_disabled", "this source is disabled")
    return door


def _pages(source: Source) -> re.Pattern[str] | None:
    if source.origins == "any":
        return None
    hosts = (re.escape(origin).replace(r"\*\.", r"[a-z0-9.-]+\.") for origin in source.origins)
    return re.compile("|".join(hosts))


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
