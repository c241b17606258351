"""How senders sign with a shared secret, HMAC-SHA256 in all of them: held to it in constant time. Pure."""

import base64
import binascii
import hmac
import re

from ingest.adapters.adapter import Hook, NotGenuine

STAMP = re.compile(r"[0-9]{1,12}")
TOLERANCE = 300_000
"""Milliseconds that the time in a signature may differ from ours."""
MAX_SIGNATURES = 8


def digest(secret: str, signed: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.digest(secret.encode(), signed, "sha256")


def in_base64(hook: Hook, header: bytes, secret: str) -> None:
    """NotGenuine unless the header is the base64 of the body's digest."""
    try:
        said = base64.b64decode(hook.headers.get(header, b""))
    except binascii.Error:
        raise NotGenuine("the signature is not base64") from None
    if not hmac.compare_digest(said, digest(secret, hook.body)):
        raise NotGenuine("not signed with this source's secret")


def in_hex(hook: Hook, header: bytes, secret: str, prefix: bytes) -> None:
    """NotGenuine unless the header is the prefix and the body's digest in hexadecimal."""
    wanted = prefix + digest(secret, hook.body).hex().encode()
    if not hmac.compare_digest(hook.headers.get(header, b"").lower(), wanted):
        raise NotGenuine("not signed with this source's secret")


def with_time(hook: Hook, header: bytes, secret: str) -> None:
    """NotGenuine unless the header is of now: `t=1790000000,v1=HEX`, the digest of that time, a dot and the body.

    Of several `v1`, as while a secret is changed, one is enough.
    """
    stated = hook.headers.get(header, b"").decode("latin-1").split(",")
    parts = [part.strip().partition("=")[::2] for part in stated]
    stamp = next((value for name, value in parts if name == "t"), "")
    if not STAMP.fullmatch(stamp) or abs(hook.now - int(stamp) * 1000) > TOLERANCE:
        raise NotGenuine("not signed, or too long ago")
    wanted = digest(secret, stamp.encode() + b"." + hook.body).hex().encode()
    said = [value.lower().encode("latin-1") for name, value in parts if name == "v1"]
    if not any(hmac.compare_digest(each, wanted) for each in said[:MAX_SIGNATURES]):
        raise NotGenuine("not signed with this source's secret")
