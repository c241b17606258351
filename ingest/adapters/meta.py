"""Meta's webhooks for Facebook pages and Instagram: what people do on a brand's account. Pure.

    X-Hub-Signature-256: sha256=<hex of HMAC-SHA256 of the body by the app secret>

Meta signs what it sends, in which all that is not ASCII is escaped: the raw body is held to it, never what it means.
A request has several entries (accounts), each with several messages or changes. People are known by the account that
they meet: a comment's `from` is page-scoped as a message's `sender` is. What names nobody, or the account itself, is
kept under the account, which is no person: brand_account/facebook with the page's id as its value.
"""

import hmac
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, NamedTuple

from ingest.adapters.adapter import Adapter, Hook, Message, Named, NotGenuine, Reply, Taken
from ingest.adapters.meta_changes import changed
from ingest.adapters.meta_messages import messaged
from ingest.adapters.meta_told import Told, id_of, name_of, objects, whole
from ingest.adapters.signatures import in_hex
from ingest.bodies import original, parse
from ingest.refusal import malformed
from ingest.shapes import MAX_NAME, Fields

NETWORKS = {"page": ("facebook", "facebook_psid"), "instagram": ("instagram", "instagram_id")}
"""What an object is called here, and what its people are known by."""
OTHER = ("meta", "")
MESSAGES = ("messaging", "standby")
"""Conversations of ours, and those that another app of the brand has in hand."""


class Where(NamedTuple):
    """An entry's object as Meta calls it, and the account; `namespace`: of its people's ids, empty for others."""

    object: Any
    network: str
    namespace: str
    account: str


def take(hook: Hook, secrets: Named, _: Named) -> Taken:
    """The messages of one notification, or the answer to Meta's question whether this URL has the token."""
    if hook.method == "GET":
        return Taken([], _challenged(hook, secrets["verify_token"]))
    in_hex(hook, b"x-hub-signature-256", secrets["app_secret"], b"sha256=")
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
        raise NotGenuine("not asked as a page subscribes, or with another verify_token")
    return Reply(hook.query.get("hub.challenge", "").encode("utf-8", "replace"))


def _entry(kind: Any, entry: Any) -> Iterator[Message]:
    """The messages of an entry; what is none is left for `accept` to refuse."""
    if not isinstance(entry, dict):
        yield entry
        return
    network, namespace = NETWORKS.get(kind, OTHER) if isinstance(kind, str) else OTHER
    where, at = Where(kind, network, namespace, id_of(entry.get("id"))), entry.get("time")
    empty = True
    for place, item, told in _told(entry, network, where.account):
        empty = False
        yield _message(told, where, at, {"id": entry.get("id"), "time": at, place: [item]})
    if empty:
        told = Told(f"{name_of(network)} update", None, at, {}, (original(entry),))
        yield _message(told, where, at, entry)


def _told(entry: Fields, network: str, account: str) -> Iterator[tuple[str, Any, Told]]:
    """What an entry tells, each with its place in it and as it was sent."""
    at = entry.get("time")
    for place in MESSAGES:
        for item in objects(entry.get(place)):
            yield place, item, messaged(item, network, account)
    for change in _changes(entry):
        value = change.get("value")
        if isinstance(value, dict) and "sender" in value and "recipient" in value:
            # as the dashboard's test button sends a message
            yield "changes", change, messaged(value, network, account)
        else:
            yield "changes", change, changed(change, network, account, at)
    names = entry.get("changed_fields")  # of an app that does not ask for values
    for name in names if isinstance(names, list) else ():
        yield "changed_fields", name, changed({"field": name}, network, account, at)


def _changes(entry: Fields) -> list[Fields]:
    """The changes of an entry; in some of Meta's examples it is itself the one."""
    alone = [{"field": entry["field"], "value": entry.get("value")}] if "field" in entry else []
    return [*objects(entry.get("changes")), *alone]


def _message(told: Told, where: Where, at: Any, entry: Fields) -> Message:
    """`entry` is it as if it had brought this alone, `at` when it was sent."""
    return {
        "type": "track",
        "event": told.name[:MAX_NAME],
        "messageId": f"meta-{_digest(whole(where.object), where.account, *told.known)}",
        "timestamp": _instant(at if told.at is None else told.at),
        "properties": {**told.said, "network": where.network, "account": where.account},
        "context": {
            "externalIds": _whose(told, where),
            "original": {"object": where.object, "entry": [entry]},
        },
    }


def _whose(told: Told, where: Where) -> list[Fields]:
    """A visitor, a person, or the account itself; nobody where an object is of no account of these networks."""
    if told.visitor:
        return [{"id": told.visitor, "type": "anonymous_id"}]
    if not (where.namespace and where.account):
        return []
    if told.who and told.who != where.account:
        return [{"id": told.who, "type": f"{where.namespace}/{where.account}"}]
    return [{"id": where.account, "type": f"brand_account/{where.network}"}]


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
