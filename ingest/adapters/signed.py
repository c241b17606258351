"""Any system of your own, or one that no adapter knows: Segment's messages under a signature of their sender. Pure.

    X-Cdp-Signature: t=1790000000,v1=<hex of HMAC-SHA256 of `1790000000.` and the body>

The body is one message, a list of them, or `{"batch": [...]}`. Without a `type` a message is a track. One without a
`messageId` is known by the body that it came in and its place there: what is sent again is the same again.
"""

from hashlib import sha256
from typing import Any

from ingest.adapters.adapter import Adapter, Hook, Message, Named, Reply, Taken
from ingest.adapters.signatures import with_time
from ingest.bodies import parse
from ingest.refusal import malformed

HEADER = b"x-cdp-signature"
NAME = "signing_secret"
REPLY = Reply(b'{"success":true}', "application/json")


def take(hook: Hook, secrets: Named, _: Named) -> Taken:
    """The messages of a signed body, each with what was sent in its `context.original`."""
    with_time(hook, HEADER, secrets[NAME])
    if hook.method != "POST":
        raise malformed("signed messages are posted")
    known = sha256(hook.body).hexdigest()[:32]
    return Taken([_message(each, f"{known}-{number}") for number, each in enumerate(_sent(hook.body))], REPLY)


def _sent(body: bytes) -> list[Any]:
    parsed = parse(body)
    if isinstance(parsed, dict):
        if "batch" not in parsed:
            return [parsed]
        if len(parsed) > 1:
            raise malformed("beside batch an envelope has nothing")
        parsed = parsed["batch"]
    if not isinstance(parsed, list):
        raise malformed("the body is a message, a list of messages, or an object with one as batch")
    return parsed


def _message(sent: Any, known: str) -> Message:
    """A message as it came, for `accept` to refuse what is none."""
    if not isinstance(sent, dict):
        return sent  # type: ignore[no-any-return]
    message = {"type": "track", **sent}
    if not message.get("messageId"):
        message["messageId"] = known
    context = message.get("context")
    if context is None or isinstance(context, dict):
        message["context"] = {**(context or {}), "original": sent}
    return message


ADAPTER = Adapter(
    name="signed",
    about="any system that signs Segment's messages with a shared secret",
    channel="social",
    secrets=(NAME,),
    config=(),
    take=take,
)
