"""Meta's webhooks for Facebook pages and Instagram: what people do on a brand's account. Pure.

    X-Hub-Signature-256: sha256=<hex of HMAC-SHA256 of the body by the app secret>

Meta signs what it sends, in which all that is not ASCII is escaped: the raw body is held to it, never what it means.
A request has several entries (accounts), each with several messages or changes. People are known by the account that
they meet: a comment's `from` is page-scoped as a message's `sender` is. What names nobody is kept under the account
itself, as a person of its own: facebook_psid/PAGE with the page's id as its value.
"""

import hmac
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

from ingest.adapters.adapter import Adapter, Hook, Message, Named, NotGenuine, Reply, Taken
from ingest.adapters.meta_changes import changed
from ingest.adapters.meta_messages import messaged
from ingest.adapters.meta_told import Told, id_of, name_of, objects, whole
from ingest.bodies import original, parse
from ingest.refusal import malformed
from ingest.shapes import MAX_NAME, Fields

NETWORKS = {"page": ("facebook", "facebook_psid"), "instagram": ("instagram", "instagram_id")}
"""What an object is called here, and what its people are known by."""
MESSAGES = ("messaging", "standby")
"""Conversations of ours, and those that another app of the brand has in hand."""


def take(hook: Hook, secrets: Named, _: Named) -> Taken:
    """The messages of one notification, or the answer to Meta's question whether this URL has the token."""
    if hook.method == "GET":
        return Taken([], _challenged(hook, secrets["verify_token"]))
    _verify(hook, secrets["app_secret"])
    sent = parse(hook.body)
    bodies = sent if isinstance(sent, list) else [sent]  # some of Meta's examples are lists of one
    if not all(isinstance(body, dict) and isinstance(body.get("entry"), list) for body in bodies):
        raise malformed("a notification has a list as entry")
    return Taken(
        [
            message
            for body in bodies
            for entry in body["entry"]
            for message in _entry(body.get("object"), entry)
        ]
    )


def _challenged(hook: Hook, token: str) -> Reply:
    given = hook.query.get("hub.verify_token", "").encode("utf-8", "replace")
    if hook.query.get("hub.mode") != "subscribe" or not hmac.compare_digest(given, token.encode()):
        raise NotGenuine
    return Reply(hook.query.get("hub.challenge", "").encode("utf-8", "replace"))


def _verify(hook: Hook, secret: str) -> None:
    wanted = b"sha256=" + hmac.digest(secret.encode(), hook.body, "sha256").hex().encode()
    if not hmac.compare_digest(hook.headers.get(b"x-hub-signature-256", b"").lower(), wanted):
        raise NotGenuine


def _entry(kind: Any, entry: Any) -> Iterator[Message]:
    """The messages of an entry; what is none is left for `accept` to refuse."""
    if not isinstance(entry, dict):
        yield entry
        return
    account, at = id_of(entry.get("id")), entry.get("time")
    network, _ = NETWORKS.get(kind, ("meta", "")) if isinstance(kind, str) else ("meta", "")
    found = 0
    for found, (place, item, told) in enumerate(_told(entry, network, account), start=1):  # noqa: B007 - counted
        sent = {"object": kind, "entry": [{"id": entry.get("id"), "time": at, place: [item]}]}
        yield _message(kind, account, told, at, sent)
    if not found:
        told = Told(f"{name_of(network)} update", None, at, {}, (original(entry),))
        yield _message(kind, account, told, at, {"object": kind, "entry": [entry]})


def _told(entry: Fields, network: str, account: str) -> Iterator[tuple[str, Any, Told]]:
    """What an entry tells, each with its place in it and as it was sent."""
    for place in MESSAGES:
        for item in objects(entry.get(place)):
            yield place, item, messaged(item, network, account)
    changes = objects(entry.get("changes"))
    if "field" in entry:  # some of Meta's examples have the one change in the entry itself
        changes = [*changes, {"field": entry["field"], "value": entry.get("value")}]
    for change in changes:
        value = change.get("value")
        if (
            isinstance(value, dict) and "sender" in value and "recipient" in value
        ):  # as the dashboard's test button sends it
            yield "changes", change, messaged(value, network, account)
        else:
            yield "changes", change, changed(change, network, account, entry.get("time"))
    names = entry.get("changed_fields")  # of an app that does not ask for values
    for name in names if isinstance(names, list) else ():
        yield "changed_fields", name, changed({"field": name}, network, account, entry.get("time"))


def _message(kind: Any, account: str, told: Told, at: Any, sent: Fields) -> Message:
    network, namespace = NETWORKS.get(kind, ("meta", "")) if isinstance(kind, str) else ("meta", "")
    who = told.who or account
    ids = [{"id": who, "type": f"{namespace}/{account}"}] if namespace and account else []
    if told.visitor:
        ids = [{"id": told.visitor, "type": "anonymous_id"}]
    return {
        "type": "track",
        "event": told.name[:MAX_NAME],
        "messageId": f"meta-{_digest(whole(kind), account, *told.known)}",
        "timestamp": _instant(at if told.at is None else told.at),
        "properties": {**told.said, "network": network, "account": account},
        "context": {"externalIds": ids, "original": sent},
    }


def _digest(*parts: str | bytes) -> str:
    texts = (part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part for part in parts)
    return blake2b(b"\x1f".join(texts), digest_size=16).hexdigest()


def _instant(value: Any) -> Any:
    """A time for `timestamp`: some of Meta's are texts of digits."""
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 20 else value


ADAPTER = Adapter(
    name="meta",
    about="Meta: comments, reactions, messages, mentions and lead forms of Facebook pages and Instagram accounts",
    channel="social",
    secrets=("app_secret", "verify_token"),
    config=(),
    take=take,
)
