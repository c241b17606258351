"""A sender that signs what it posts to a hook, by the documented rule and not by our code."""

import hashlib
import hmac
import time
from typing import Any

import orjson

from tests.ingest.servers import Answer, Client

SECRET = "a-secret-of-the-signer"


def signature(body: bytes, secret: str = SECRET, at: int | None = None) -> str:
    """The header of a body that is sent at an instant, Unix seconds."""
    stamp = str(int(time.time()) if at is None else at)
    signed = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={signed}"


def post(client: Client, message: Any, source: str = "fans", secret: str = SECRET) -> Answer:
    """The answer to a signed message."""
    body = message if isinstance(message, bytes) else orjson.dumps(message)
    return client.without_key().post(f"/hooks/{source}", body, X_Cdp_Signature=signature(body, secret))


def sized(name: str, size: int) -> bytes:
    """A message of so many bytes."""
    shell = orjson.dumps({"event": "Visit", "userId": "u1", "messageId": name, "properties": {"x": ""}})
    return shell.replace(b'"x":""', b'"x":"' + b"y" * (size - len(shell)) + b'"')
