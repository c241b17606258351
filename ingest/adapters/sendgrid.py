"""SendGrid's event webhook: what became of each mail, and what its recipient did. Pure.

    X-Twilio-Email-Event-Webhook-Signature: base64 of ECDSA (P-256, SHA-256) over the timestamp's header and the body

What is sent again may bear its first timestamp, and SendGrid tries for 24 hours: the tolerance is a little more than
that. What is replayed within it is known by its `sg_event_id`.
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from ingest.adapters.adapter import Adapter, Hook, Message, Named, NotGenuine, Taken
from ingest.bodies import original, parse
from ingest.canonical import MAX_MESSAGE_ID
from ingest.refusal import malformed
from ingest.shapes import MAX_NAME, Fields
from schemas.errors import ConfigError

SIGNATURE = b"x-twilio-email-event-webhook-signature"
STAMP = b"x-twilio-email-event-webhook-timestamp"
SECONDS = re.compile(rb"[0-9]{1,12}")
TOLERANCE = 25 * 3_600
"""Seconds between a signature and its arrival."""
ALGORITHM = ECDSA(SHA256())
NAMES = {
    "processed": "Message Sent",
    "delivered": "Message Delivered",
    "deferred": "Message Deferred",
    "dropped": "Message Dropped",
    "bounce": "Message Bounced",
    "open": "Message Opened",
    "click": "Message Clicked",
    "spamreport": "Message Marked as Spam",
    "unsubscribe": "Unsubscribed",
    "group_unsubscribe": "Unsubscribed",
    "group_resubscribe": "Resubscribed",
}
ENVELOPE = frozenset(("email", "timestamp", "event", "sg_event_id", "ip", "unique_args", "sg_machine_open"))
"""Fields that are no properties as they are; any other is one, as custom arguments stand among SendGrid's own."""
OURS = {
    "sg_message_id": "message_id", "smtp-id": "smtp_id", "useragent": "user_agent", "asm_group_id": "group_id",
    "type": "bounce_type", "sg_content_type": "content_type",
}  # fmt: skip
CAMPAIGN = ("campaign_id", "singlesend_id", "mc_auto_id", "marketing_campaign_id")
"""Where a campaign is named: an argument of your own, else what SendGrid's marketing campaigns say."""


def take(hook: Hook, _: Named, config: Named) -> Taken:
    """The messages of one request, a mail's event each."""
    _verify(hook, _key(config["public_key"]))
    parsed = parse(hook.body)
    if not isinstance(parsed, list):
        raise malformed("the body is a list of events")
    return Taken([_message(each) if isinstance(each, dict) else each for each in parsed])


@lru_cache(maxsize=256)
def _key(public: str) -> EllipticCurvePublicKey:
    try:
        key = load_der_public_key(b64decode("".join(public.split()), validate=True))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ConfigError(
            "public_key is no P-256 public key",
            "the configuration of a source of SendGrid",
            "copy the verification key of SendGrid's event webhook: base64, of 124 characters",
        )
    return key


def _verify(hook: Hook, key: EllipticCurvePublicKey) -> None:
    stamp = hook.headers.get(STAMP, b"")
    if not SECONDS.fullmatch(stamp) or abs(hook.now - int(stamp) * 1_000) > TOLERANCE * 1_000:
        raise NotGenuine("the timestamp is missing, or more than 25 hours from now")
    try:
        signature = b64decode(hook.headers.get(SIGNATURE, b""), validate=True)
        key.verify(signature, stamp + hook.body, ALGORITHM)
    except (ValueError, InvalidSignature):
        raise NotGenuine("not signed by the key of this source's public_key") from None


def _message(sent: Fields) -> Message:
    kind = sent.get("event")
    name = NAMES.get(kind, f"SendGrid {kind}"[:MAX_NAME]) if isinstance(kind, str) else None
    context: Fields = {"externalIds": [{"id": sent.get("email"), "type": "email"}], "original": sent}
    if kind == "click":  # of an open they are often those of a mail provider's proxy, which is no bot either
        context |= {
            ours: sent[field] for field, ours in (("useragent", "userAgent"), ("ip", "ip")) if sent.get(field)
        }
    return {
        "type": "track",
        "event": name,
        "messageId": _id(sent, kind),
        "timestamp": sent.get("timestamp"),
        "properties": _properties(sent, kind),
        "context": context,
    }


def _id(sent: Fields, kind: Any) -> str:
    """SendGrid's id of the event, which stays when it is sent again; without one, what the event says."""
    known = sent.get("sg_event_id")
    if isinstance(known, str) and known and len(told := f"sendgrid-{kind}-{known}") <= MAX_MESSAGE_ID:
        return told
    said = original([kind, known] if known else sent)
    return f"sendgrid-{blake2b(said, digest_size=16).hexdigest()}"


def _properties(sent: Fields, kind: Any) -> Fields:
    said = {OURS.get(field, field): value for field, value in sent.items() if field not in ENVELOPE}
    arguments = sent.get("unique_args")
    if isinstance(arguments, dict):
        said = {**arguments, **said}
    campaign = _campaign(said)
    if campaign is not None:
        said["campaign_id"] = campaign
    if sent.get("sg_machine_open") is not None:
        said["machine_open"] = sent["sg_machine_open"]
    if kind not in ("open", "click") and sent.get("ip"):
        said["sending_ip"] = sent["ip"]
    return said


def _campaign(said: Mapping[str, Any]) -> str | None:
    """The mail's campaign, else its first category."""
    category = said.get("category")
    first = category[0] if isinstance(category, list) and category else category
    for value in (*map(said.get, CAMPAIGN), first):
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return str(value)
    return None


ADAPTER = Adapter(
    name="sendgrid",
    about="SendGrid: mails sent, delivered, opened, clicked, bounced, unsubscribed from, marked as spam",
    channel="email",
    secrets=(),
    config=("public_key",),
    take=take,
    checks={"public_key": _key},
)
