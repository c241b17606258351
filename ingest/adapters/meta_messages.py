"""Messages of Messenger and Instagram, and what else there is in a conversation. Pure.

Format: developers.facebook.com, "Messenger Platform, webhook events" and "Instagram Platform, webhooks".
"""

from collections.abc import Callable
from typing import Any

from ingest.adapters.meta_changes import posted
from ingest.adapters.meta_told import Told, by, fields, given, id_of, name_of, whole
from ingest.shapes import Fields

ENVELOPE = frozenset(("sender", "recipient", "timestamp", "from", "hop_context", "is_self"))
HANDOVERS = frozenset(("pass_thread_control", "take_thread_control", "request_thread_control", "app_roles"))
"""What the brand's apps settle between them."""
Says = tuple[str, Fields]
"""An event's name and properties."""


def messaged(item: Fields, network: str, account: str) -> Told:
    """What one item of a conversation tells; an echo is the brand's message to its recipient."""
    if (
        isinstance(item.get("item"), str) and "verb" in item
    ):  # a comment in a group, among messages for some reason
        return posted(item, str(item.get("field", "feed")), network, account, None)
    kind = next((kind for kind in KINDS if kind in item), "")
    content = fields(item.get(kind))
    sender = id_of(item.get("sender")) or id_of(item.get("from"))
    is_ours = content.get("is_echo") is True or sender == account
    who = id_of(item.get("recipient")) if is_ours else sender
    at = item.get("timestamp") or content.get("watermark")
    if not kind:
        other = next((name for name in item if name not in ENVELOPE), "message")
        told = Told(f"{name_of(network)} {other}", who, at, _others(item), ("messaging", whole(item)))
        return by(account if other in HANDOVERS else sender, account, told)
    name, said = KINDS[kind](content)
    mid = content.get("mid")
    known = (kind, name, whole(mid)) if kind == "message" and mid else ("messaging", whole(item))
    told = Told(name, who, at, given(said), known)
    return told if name == "Message Sent" else by(sender if is_ours else who, account, told)


def _message(content: Fields) -> Says:
    attached = content.get("attachments")
    types = [fields(each).get("type") for each in attached] if isinstance(attached, list) else []
    said = {
        "message_id": content.get("mid"),
        "text": content.get("text"),
        "kind": "unsupported" if content.get("is_unsupported") else next(iter(types), "text"),
        "attachments": types or None,
        "quick_reply": fields(content.get("quick_reply")).get("payload"),
        "reply_to": fields(content.get("reply_to")).get("mid"),
        "story_id": id_of(fields(content.get("reply_to")).get("story")),
        "app_id": content.get("app_id"),
        **_referral(content.get("referral")),
    }
    if content.get("is_echo") is True:
        return "Message Sent", said
    return "Message Deleted" if content.get("is_deleted") is True else "Message Received", said


def _edited(content: Fields) -> Says:
    said = {"message_id": content.get("mid"), "text": content.get("text"), "edits": content.get("num_edit")}
    return "Message Edited", said


def _postback(content: Fields) -> Says:
    said = {
        "message_id": content.get("mid"),
        "title": content.get("title"),
        "payload": content.get("payload"),
    }
    return "Button Clicked", {**said, **_referral(content.get("referral"))}


def _reaction(content: Fields) -> Says:
    name = "Reaction Removed" if content.get("action") == "unreact" else "Reaction Added"
    said = {
        "message_id": content.get("mid"),
        "reaction": content.get("reaction"),
        "emoji": content.get("emoji"),
    }
    return name, said


def _read(content: Fields) -> Says:
    return "Message Read", {"message_id": content.get("mid"), "watermark": content.get("watermark")}


def _delivered(content: Fields) -> Says:
    return "Message Delivered", {"message_ids": content.get("mids"), "watermark": content.get("watermark")}


def _opened(content: Fields) -> Says:
    return "Conversation Opened", _referral(content)


def _opted(content: Fields) -> Says:
    """Tokens, by which the brand may write to somebody, are no properties."""
    said = {"optin": content.get("type"), "ref": content.get("ref"), "payload": content.get("payload"),
            "title": content.get("title"), "frequency": content.get("notification_messages_frequency")}  # fmt: skip
    stopped = str(content.get("notification_messages_status")).upper().startswith("STOP")
    return "Unsubscribed" if stopped else "Opted In", said


def _linked(content: Fields) -> Says:
    return "Account Unlinked" if content.get("status") == "unlinked" else "Account Linked", {}


def _referral(value: Any) -> Fields:
    """Where somebody came from: a link, an ad, a QR code."""
    content = fields(value)
    said = {"referral_source": content.get("source"), "referral_type": content.get("type")}
    return {**said, **{name: content.get(name) for name in ("ref", "ad_id", "referer_uri", "is_guest_user")}}


def _others(item: Fields) -> Fields:
    return {name: value for name, value in item.items() if name not in ENVELOPE}


KINDS: dict[str, Callable[[Fields], Says]] = {
    "message": _message,
    "message_edit": _edited,
    "postback": _postback,
    "reaction": _reaction,
    "read": _read,
    "delivery": _delivered,
    "referral": _opened,
    "optin": _opted,
    "account_linking": _linked,
}
"""Every kind with a name of ours; others are generic."""
