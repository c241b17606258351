"""One Segment message to one canonical event (`schemas.event.EventBody`). Pure; `ingest.ordinary` is its short way.

What the log has no place for survives in `context.original`, ids that identify nobody among it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from ingest import times
from ingest.bodies import MAX_EVENT
from ingest.identifiers import Identity, Policy, claims, identify, said, text
from ingest.refusal import Refusal, invalid
from ingest.shapes import SHAPES, Fields
from schemas.event import EventBody
from schemas.identity import MAX_VALUE
from schemas.rejected import Reason
from schemas.semantics import REGISTRY, entry_of, exact_money

KNOWN = frozenset((
    "type", "event", "userId", "anonymousId", "messageId", "timestamp", "sentAt", "properties", "traits",
    "context", "name", "category", "groupId", "previousId", "writeKey", "integrations",
))  # fmt: skip
MAX_MESSAGE_ID = 100
EMPTY: Fields = {}


class Plan(Protocol):
    """The tracking plan of a source."""

    def check(
        self,
        name: str,
        version: Any,
        properties: Fields,
        traits: Fields,
        identifiers: dict[str, list[str]],
        /,
    ) -> tuple[tuple[str, ...], bool]:
        """The rules that an event, as the log would have it, breaks, and whether it is rejected for them.

        `version` is what the sender states in `context.protocols.event_version`, whatever that is, or None.
        """


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request: when it arrived (Unix ms), an id of its own, and what its envelope says of all its events.

    `kind` is the type that a single route names, `skew` what to add to the sender's instants; `agent` and `ip` are its
    User-Agent and the address that it came from, empty where unknown.
    """

    received_at: int
    id: str
    kind: str | None = None
    sent_at: int | None = None
    skew: int = 0
    context: Fields | None = None
    integrations: Any = None
    agent: str = ""
    ip: str = ""


Enrich = Callable[[Fields, Arrival], tuple[Fields, bool]]
"""A context and how it arrived to the context that the log has, and whether a program sent it; the given one stays."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the events of one source are taken in: what there is to know of it, prepared once.

    `who` is the identity of a userId and an anonymousId; `known` the same, or None where one of them identifies nobody.
    """

    name: str
    channel: str
    currency: str
    policy: Policy
    who: Callable[[str | None, str | None], Identity]
    known: Callable[[str | None, str | None], Identity | None]
    enrich: Enrich | None = None
    plan: Plan | None = None
    most: int = MAX_EVENT
    """Bytes that an event may have as its sender sent it."""


def desk(
    name: str,
    channel: str,
    currency: str,
    policy: Policy,
    enrich: Enrich | None = None,
    plan: Plan | None = None,
) -> Desk:
    """The desk of a source; it remembers the identities of its last 16,384 customers."""

    @lru_cache(maxsize=16_384)
    def who(user: str | None, anonymous: str | None) -> Identity:
        return identify(policy, user, anonymous, ())

    @lru_cache(maxsize=16_384)
    def known(user: str | None, anonymous: str | None) -> Identity | None:
        try:
            identity = who(user, anonymous)
        except Refusal:
            return None
        unnamed = (user is not None and "user_id" not in identity.identifiers) or (
            anonymous is not None and "anonymous_id" not in identity.identifiers
        )
        return None if unnamed else identity

    return Desk(name, channel, currency, policy, who, known, enrich, plan)


def canonical(  # noqa: C901, PLR0912 - one pass, and no call that an ordinary event does not need
    message: Any, desk: Desk, arrival: Arrival, number: int
) -> tuple[Identity, EventBody]:
    """Who, and the event; `number` counts the messages of a request. Refusal says why there is none.

    It is not yet held to the source's plan (`planned`): that is asked of what the log will have.
    """
    if type(message) is not dict:
        raise invalid("an event must be an object")
    get = message.get
    kind: Any = arrival.kind or get("type")
    shape = SHAPES.get(kind) if type(kind) is str else None
    if shape is None:
        raise invalid(f"type must be one of {', '.join(SHAPES)}")
    message_id = get("messageId")
    if type(message_id) is not str or not 0 < len(message_id) <= MAX_MESSAGE_ID:
        message_id = _message_id(message_id, arrival, number)
    if type(properties := get("properties")) is not dict:
        properties = _nothing(properties, "properties")
    if type(traits := get("traits")) is not dict:
        traits = _nothing(traits, "traits")
    if type(context := get("context")) is not dict:
        context = _nothing(context, "context")
    if arrival.context:
        context = {**arrival.context, **context}
    if "traits" in context:
        context, traits = _apart(context, traits)
    name, properties, traits = shape(message, properties, traits)
    identity = _who(kind, message, desk, traits, context)
    if name in REGISTRY:
        properties = _exact(name, properties, desk.currency, message_id)
    if original := _original(message, identity, arrival):
        kept = context.get("original")  # by an adapter, of what its sender sent
        context = {**context, "original": {**original, **kept} if type(kept) is dict else original}
    bot = False
    if desk.enrich is not None:
        context, bot = desk.enrich(context, arrival)
    stamp = get("timestamp")
    if stamp is None:
        stamp = get("originalTimestamp")  # RudderStack's SDKs say it by this name, and only by it
    sent_at, skew = (
        _sent(message["sentAt"], arrival) if "sentAt" in message else (arrival.sent_at, arrival.skew)
    )
    body: EventBody = {
        "v": 1,
        "type": kind,
        "name": name,
        "message_id": message_id,
        "source": desk.name,
        "channel": desk.channel,
        "occurred_at": arrival.received_at if stamp is None else _occurred(stamp, skew, arrival.received_at),
        "received_at": arrival.received_at,
        "sent_at": sent_at,
        "original_timestamp": stamp if stamp is None or type(stamp) is str else str(stamp),
        "identifiers": identity.identifiers,
        "properties": properties,
        "traits": traits,
        "context": context,
    }
    if bot:
        body["bot"] = True
    if kind == "alias" and desk.policy.trusted and (says := said(desk.policy, message, identity)):
        body["says"] = says
    return identity, body


def planned(plan: Plan, body: EventBody) -> bool:
    """Hold an event, as the log would have it, to the plan: True where it is now marked; Refusal where rejected."""
    protocols = body["context"].get("protocols")
    version = protocols.get("event_version") if type(protocols) is dict else None
    rules, reject = plan.check(body["name"], version, body["properties"], body["traits"], body["identifiers"])
    if reject:
        raise Refusal(Reason.PLAN, "; ".join(rules))
    if rules:
        body["violations"] = list(rules)
    return bool(rules)


def _nothing(value: Any, field: str) -> Fields:
    if value is None:
        return EMPTY
    if isinstance(value, dict):
        return value
    raise invalid(f"{field} must be an object")


def _apart(context: Fields, traits: Fields) -> tuple[Fields, Fields]:
    """Traits that the context repeats move out of it, under the event's own."""
    context = dict(context)
    repeated = context.pop("traits")
    return context, {**_nothing(repeated, "context.traits"), **traits}


def _message_id(value: Any, arrival: Arrival, number: int) -> str:
    if value is None or value == "":
        return f"{arrival.id}-{number}"
    given = text(value, "messageId")
    if len(given) > MAX_MESSAGE_ID:
        raise invalid(f"messageId is longer than {MAX_MESSAGE_ID} characters")
    return given


def _who(kind: str, message: Fields, desk: Desk, traits: Fields, context: Fields) -> Identity:
    user, anonymous = message.get("userId"), message.get("anonymousId")
    if user is not None and (type(user) is not str or len(user) > MAX_VALUE):
        user = _id(user, "userId")
    if anonymous is not None and (type(anonymous) is not str or len(anonymous) > MAX_VALUE):
        anonymous = _id(anonymous, "anonymousId")
    try:
        if traits or kind == "alias" or "device" in context or "externalIds" in context:
            return identify(desk.policy, user, anonymous, claims(kind, message, traits, context))
        return desk.who(user, anonymous)
    except Refusal as refusal:
        long = [
            f for f, id_ in (("userId", user), ("anonymousId", anonymous)) if id_ is None and message.get(f)
        ]
        if refusal.reason == Reason.NO_IDENTIFIER and long:
            detail = f"{long[0]} is too long: an identifier may have {MAX_VALUE} characters"
            raise Refusal(refusal.reason, detail) from None
        raise


def _id(value: Any, field: str) -> str | None:
    """An id as text; None where it is too long to identify anybody."""
    value = text(value, field)
    return value if len(value) <= MAX_VALUE else None


def _exact(name: str, properties: Fields, currency: str, message_id: str) -> Fields:
    """A copy with its amounts as decimal strings; refused where a registered event cannot be read."""
    semantic = REGISTRY[name]
    if semantic.entry is None:
        return properties
    properties = dict(properties)
    lines = properties.get("products")
    if isinstance(lines, list):
        properties["products"] = [dict(line) if isinstance(line, dict) else line for line in lines]
    try:
        exact_money(name, properties, currency)
    except ValueError as error:
        raise Refusal(Reason.BAD_AMOUNT, str(error)) from None
    try:
        entry_of(name, properties, message_id)
    except ValueError as error:
        raise Refusal(Reason.BAD_PROPERTY, str(error)) from None
    return properties


def _sent(value: Any, arrival: Arrival) -> tuple[int | None, int]:
    """An event's own `sentAt` and skew; its request's where it has none that can be read."""
    sent_at = times.sent(value)
    if sent_at is None:
        return arrival.sent_at, arrival.skew
    return sent_at, times.skew(sent_at, arrival.received_at)


def _occurred(stamp: Any, skew: int, received_at: int) -> int:
    """When it happened by our clock."""
    try:
        at = times.instant(stamp) + skew
        if at > received_at + times.FUTURE:
            return received_at
        return times.check(at)
    except (ValueError, OverflowError):
        raise invalid("timestamp is not an instant, as 2026-12-31T23:59:59.999Z") from None


def _original(message: Fields, identity: Identity, arrival: Arrival) -> Fields:
    """What the log has no place for: unknown fields, integrations, and ids that identify nobody."""
    original: Fields = {}
    if not KNOWN.issuperset(message):
        original = {field: message[field] for field in message if field not in KNOWN}
    if integrations := _merged(arrival.integrations, message.get("integrations")):
        original["integrations"] = integrations
    named = identity.identifiers
    if "user_id" not in named and message.get("userId"):
        original["userId"] = message["userId"]
    if "anonymous_id" not in named and message.get("anonymousId"):
        original["anonymousId"] = message["anonymousId"]
    return original


def _merged(under: Any, own: Any) -> Any:
    return {**under, **own} if isinstance(under, dict) and isinstance(own, dict) else own or under
