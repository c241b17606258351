"""What operators do to sources.

A write key is nobody's to read: the log has its digest, and who asks for a new one hears it once. Each function
returns when the log has the change; every ingest process knows it within about a second.
"""

import secrets
import string
import time
from collections.abc import Mapping
from typing import Any

from deploy.definitions import history
from deploy.reason import reason
from deploy.sources import adapted
from deploy.sources.log import Records, record, sources, write
from schemas.definitions import validate
from schemas.errors import ConfigError, NotFound
from schemas.identity import IdentityRules
from schemas.settings import Settings
from schemas.sources import Source, Terms, WriteKey, key_digest

MAX_LIVE = 5
"""Write keys of a source that are taken at once: the newest, and those in their grace."""
KEY_CHARACTERS, KEY_LENGTH = string.ascii_letters + string.digits, 32


def add(settings: Settings, terms: Mapping[str, Any], because: str) -> str:
    """Let a new source send; gives its write key. ConfigError where the terms cannot be, or the name is taken."""
    wanted, because = _checked(_of_its_adapter(terms), _namespaces(settings)), reason(because)
    key, digest = _new_key(settings)

    def make(there: Records) -> Records:
        source = sources(there).get(wanted.name)
        if source is not None and source.keys[0].digest == digest:  # by an attempt whose end nobody heard
            return {}
        if source is not None:
            hint = f"`cdp sources set {wanted.name}` changes it, `cdp sources rotate {wanted.name}` gives it a new key"
            raise ConfigError("there is a source of this name already", wanted.name, hint)
        return dict([record(opened(wanted, digest, now_ms(), because))])

    write(settings, make)
    return key


def rotate(settings: Settings, name: str, grace: int, because: str) -> str:
    """Give a source a new write key, which this returns; those that it has are taken for `grace` ms more."""
    history.read(settings)  # that there is a deployment, and ours
    because, (key, digest) = reason(because), _new_key(settings)

    def make(there: Records) -> Records:
        source = _named(there, name)
        if any(each.digest == digest for each in source.keys):
            return {}
        return dict([record(rotated(source, digest, now_ms(), grace, because))])

    write(settings, make)
    return key


def change(settings: Settings, name: str, changes: Mapping[str, Any], because: str) -> bool:
    """Change terms of a source; False where they are so already. ConfigError where they cannot be."""
    if not changes:
        raise ConfigError(
            "nothing was given to change", name, "as `--rate 500`; `cdp sources set --help` has them all"
        )
    namespaces, because, changed = _namespaces(settings), reason(because), False

    def make(there: Records) -> Records:
        nonlocal changed
        source = _named(there, name)
        terms = _fields(source)
        enrichment = {**source.enrichment.model_dump(), **changes.get("enrichment", {})}
        config = _config(source, changes)
        wanted = _checked({**terms, **changes, "enrichment": enrichment, "config": config}, namespaces)
        if _fields(wanted) == terms:
            return {}
        changed = True
        return dict([
            record(Source(**_fields(wanted), keys=source.keys, changed_at=now_ms(), because=because))
        ])  # fmt: skip

    write(settings, make)
    return changed


def opened(terms: Terms, digest: str, at: int, because: str) -> Source:
    """A new source with its first key."""
    keys = (WriteKey(digest=digest, since=at, until=None),)
    return Source(**_fields(terms), keys=keys, changed_at=at, because=because)


def rotated(source: Source, digest: str, at: int, grace: int, because: str) -> Source:
    """The source with a new key; its others end after `grace` ms, and never later than they would have."""
    ends = [at + grace if key.until is None else min(key.until, at + grace) for key in source.keys]
    kept = [
        key.model_copy(update={"until": end}) for key, end in zip(source.keys, ends, strict=True) if end > at
    ]
    if len(kept) >= MAX_LIVE:
        what = f"{len(kept)} write keys of it are taken already, and {MAX_LIVE} may be"
        raise ConfigError(what, source.name, "wait until one has ended, or end them all now with `--grace 0`")
    keys = (*kept, WriteKey(digest=digest, since=at, until=None))
    return Source(**_fields(source), keys=keys, changed_at=at, because=because)


def now_ms() -> int:
    """Unix ms."""
    return time.time_ns() // 1_000_000


def _checked(terms: Mapping[str, Any], known: set[str]) -> Terms:
    """Terms that can be, of namespaces that the deployment knows."""
    wanted = validate(Terms, dict(terms), f"source {terms['name']}")
    unknown = set() if wanted.namespaces == "all" else set(wanted.namespaces) - known
    if unknown:
        what = f"unknown namespaces: {', '.join(sorted(unknown))}"
        raise ConfigError(what, "--namespaces", f"this deployment knows {', '.join(sorted(known))}")
    adapted.check(wanted)
    return wanted


def _of_its_adapter(terms: Mapping[str, Any]) -> Mapping[str, Any]:
    """New terms, of the adapter's channel where they name none."""
    if "channel" in terms:
        return terms
    if terms.get("adapter") is None:
        raise ConfigError("where do its interactions happen?", "--channel", "as --channel offline")
    return {**terms, "channel": adapted.named(terms["adapter"], f"source {terms['name']}").channel}


def _config(source: Source, changes: Mapping[str, Any]) -> dict[str, str]:
    """What its adapter is told now: of another adapter, all anew; one that has no value is told no more."""
    before = source.config if changes.get("adapter", source.adapter) == source.adapter else {}
    return {name: value for name, value in {**before, **changes.get("config", {})}.items() if value}


def _namespaces(settings: Settings) -> set[str]:
    found = history.read(settings).definitions.values()
    rules = max((each for each in found if isinstance(each, IdentityRules)), key=lambda each: each.version)
    return {namespace.name for namespace in rules.namespaces}


def _named(there: Records, name: str) -> Source:
    known = sources(there)
    if name not in known:
        names = ", ".join(known) or "none"
        raise NotFound("there is no such source", name, f"there are {names}; `cdp sources add` makes one")
    return known[name]


def _new_key(settings: Settings) -> tuple[str, str]:
    """A write key that nobody can guess, and its digest."""
    key = "".join(secrets.choice(KEY_CHARACTERS) for _ in range(KEY_LENGTH))
    return key, key_digest(settings.key_secret.get_secret_value(), key)


def _fields(terms: Terms) -> dict[str, Any]:
    return {name: getattr(terms, name) for name in Terms.model_fields}
