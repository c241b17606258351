"""Which identifiers an event states, as the keys that its record carries. Pure.

Fields that exist to identify (`userId`, `anonymousId`, `previousId`, `context.externalIds`) must be in
namespaces that the source may assert, or the event is refused. What is only told beside (`traits.email`,
`traits.phone`, `context.device.id`) identifies where the source may assert it, and is a mere trait elsewhere.
Blocked values and values that cannot be normalised identify nobody; they stay where they were written.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from ingest.refusal import Refusal, invalid
from schemas.identity import SCOPE, Keys, split_namespace
from schemas.rejected import Reason
from schemas.topics import partition_of

MAX_IDENTIFIERS = 50
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Claim(NamedTuple):
    """One identifier as stated; `explicit` where it was meant to identify."""

    namespace: str
    value: str
    explicit: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """The identifiers of an event: normalised values by namespace, and what the record takes from them."""

    identifiers: dict[str, list[str]]
    key: bytes
    headers: list[tuple[str, bytes]]
    partition: int


@dataclass(frozen=True, slots=True)
class Policy:
    """What one source may assert: namespaces (None: all), the region of its phone numbers, and whether its word counts.

    An alias of a `trusted` source states that two identifiers are one customer; of another it only links them.
    """

    keys: Keys
    partitions: int
    namespaces: frozenset[str] | None
    region: str | None
    trusted: bool = False

    def allows(self, namespace: str) -> bool:
        """Whether the source may assert this namespace, whatever its scope."""
        return self.namespaces is None or split_namespace(namespace)[0] in self.namespaces


def text(value: Any, field: str) -> str:
    """An id as text; numbers are written as JSON writes them."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    raise invalid(f"{field} must be a string or a number")


def claims(
    kind: str, message: Mapping[str, Any], traits: Mapping[str, Any], context: Mapping[str, Any]
) -> tuple[Claim, ...]:
    """Everything stated beside `userId` and `anonymousId`."""
    device = context.get("device")
    beside = {
        "email": traits.get("email"),
        "phone": traits.get("phone"),
        "device_id": device.get("id") if isinstance(device, dict) else None,
    }
    found = [_previous(message)] if kind == "alias" else []
    found += [Claim(name, value, explicit=False) for name, told in beside.items() if (value := _told(told))]
    external = context.get("externalIds")
    if external is not None:
        found.extend(_external(external))
    return tuple(found)


def _told(value: Any) -> str:
    """What is told beside as text; empty where it could not be an id."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return text(value, "")


def _previous(message: Mapping[str, Any]) -> Claim:
    """An alias names a visitor or an older account.

    SDKs make their visitor ids as UUIDs: that form, and the event's own anonymousId, is an `anonymous_id`;
    anything else is a `user_id`.
    """
    value = message.get("previousId")
    if value is None or value == "":
        raise invalid("alias needs previousId")
    value = text(value, "previousId")
    anonymous = value == message.get("anonymousId") or UUID.fullmatch(value)
    return Claim("anonymous_id" if anonymous else "user_id", value, explicit=True)


def _external(entries: Any) -> list[Claim]:
    if not isinstance(entries, list) or len(entries) > MAX_IDENTIFIERS:
        raise invalid(f"context.externalIds must be a list of at most {MAX_IDENTIFIERS}")
    found = []
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
            raise invalid("context.externalIds: each needs id and type")
        if entry.get("id") is not None:
            found.append(Claim(entry["type"], text(entry["id"], "context.externalIds.id"), explicit=True))
    return found


def identify(policy: Policy, user: str | None, anonymous: str | None, others: tuple[Claim, ...]) -> Identity:
    """The identity that an event states; Refusal where there is none, or one not allowed."""
    stated = list(others)
    if user is not None:
        stated.append(Claim("user_id", user, explicit=True))
    if anonymous is not None:
        stated.append(Claim("anonymous_id", anonymous, explicit=True))
    found: dict[str, tuple[str, str]] = {}
    for claim in stated:
        _add(found, policy, claim)
    if not found:
        raise Refusal(
            Reason.NO_IDENTIFIER, "needs userId, anonymousId or another identifier that is not blocked"
        )
    return _identity(policy, found)


def said(policy: Policy, message: Mapping[str, Any], identity: Identity) -> list[str] | None:
    """What a trusted source's alias states of two accounts: ["alias", greater key, lesser key].

    None where an end identifies nobody, and for an alias of a visitor, which SDKs send at each login: two accounts on
    one shared browser are still two customers.
    """
    previous = _previous(message)
    if previous.namespace != "user_id":
        return None
    try:
        user, _ = policy.keys.key("user_id", text(message["userId"], "userId"))
        older, _ = policy.keys.key(previous.namespace, previous.value)
    except ValueError:
        return None
    keys = identity.headers[0][1].decode().split(" ")
    pair = [key for key in keys if key in (user, older)]
    return ["alias", *pair] if len(pair) == 2 else None


def _add(found: dict[str, tuple[str, str]], policy: Policy, claim: Claim) -> None:
    """Note a claim as key -> (namespace, value)."""
    if not policy.allows(claim.namespace):
        if claim.explicit:
            raise Refusal(
                Reason.NAMESPACE_NOT_ALLOWED, f"this source may not assert {claim.namespace[:100]!r}"
            )
        return
    if claim.explicit:
        _check_namespace(policy.keys, claim.namespace)
    try:
        key, value = policy.keys.key(claim.namespace, claim.value, policy.region)
    except ValueError:  # identifies nobody
        return
    found[key] = claim.namespace, value


@lru_cache(maxsize=4_096)
def _check_namespace(keys: Keys, namespace: str) -> None:
    name, scope = split_namespace(namespace)
    rule = keys.rule(name)
    if rule is None:
        raise Refusal(Reason.NAMESPACE_NOT_ALLOWED, f"unknown namespace {name[:100]!r}")
    if rule.scoped != bool(scope) or (scope and not SCOPE.fullmatch(scope)):
        raise invalid(f"{name} is written {name}/SCOPE" if rule.scoped else f"{name} takes no scope")


def _identity(policy: Policy, found: dict[str, tuple[str, str]]) -> Identity:
    keys = sorted(found, key=policy.keys.order)
    identifiers: dict[str, list[str]] = {}
    for key in keys:
        namespace, value = found[key]
        identifiers.setdefault(namespace, []).append(value)
    header = " ".join(keys).encode()
    return Identity(
        identifiers, keys[0].encode(), [("keys", header)], partition_of(keys[0], policy.partitions)
    )
