"""How WeChat and WeCom sign and encrypt what they send. Pure.

    signature      SHA-1 of token, timestamp and nonce, sorted and joined: it does not cover the body
    msg_signature  SHA-1 of token, timestamp, nonce and Encrypt, sorted and joined

`Encrypt` is base64 of AES-256-CBC, its IV the first 16 bytes of the key, over 16 random bytes, the length of the
message (4 bytes, big-endian), the message, and whom it is for (an app id or corp id), padded to 32 bytes (PKCS#7).
"""

import re
from base64 import b64decode
from functools import lru_cache
from hashlib import sha1
from hmac import compare_digest

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ingest.adapters.adapter import Hook, NotGenuine
from schemas.errors import ConfigError

AGE = 5 * 60_000
"""How far a request's timestamp may be from now, ms: what somebody overheard is soon worth nothing."""

TIMESTAMP = re.compile(r"[0-9]{10}")
"""Unix seconds. Of a fixed length, as parts are signed without anything between them."""

ENCRYPT = re.compile(
    rb"""<Encrypt>(?:<!\[CDATA\[)?([A-Za-z0-9+/=]++)(?:\]\]>)?</Encrypt>|"Encrypt"\s*+:\s*+"([A-Za-z0-9+/=\\]++)\""""
)
"""The sealed part of a body, found without parsing what nobody has vouched for yet."""

BLOCK = 32
HEAD = 20


def check(hook: Hook, token: str, signature: str, *parts: str) -> None:
    """NotGenuine unless the query's `signature` is that of the token and these parts, and the request is of now."""
    timestamp, nonce = hook.query.get("timestamp", ""), hook.query.get("nonce", "")
    if not TIMESTAMP.fullmatch(timestamp) or abs(hook.now - int(timestamp) * 1_000) > AGE:
        raise NotGenuine("the timestamp is not within five minutes of now")
    joined = _bytes("".join(sorted((token, timestamp, nonce, *parts))))
    expected = sha1(joined).hexdigest().encode()  # noqa: S324 - it is their scheme
    if not token or not compare_digest(expected, _bytes(hook.query.get(signature, ""))):
        raise NotGenuine(f"{signature} is not made with this source's token")


def unseal(hook: Hook, token: str, aes_key: str, receiver: str) -> bytes:
    """The message in an encrypted body; NotGenuine where there is none, or it is not signed or not for `receiver`."""
    found = ENCRYPT.search(hook.body)
    if not found:
        raise NotGenuine("the body is not encrypted")
    sealed = (found[1] or found[2].replace(rb"\/", b"/")).decode()
    check(hook, token, "msg_signature", sealed)
    return decrypt(sealed, aes_key, receiver)


def decrypt(sealed: str, aes_key: str, receiver: str) -> bytes:
    """The message, of what is signed already; NotGenuine where the key is another, or the receiver."""
    try:
        blocks = b64decode(sealed, validate=True)
    except ValueError:
        raise NotGenuine("what is encrypted is not base64") from None
    if not blocks or len(blocks) % 16:
        raise NotGenuine("what is encrypted is cut off")
    decryptor = cipher(aes_key).decryptor()
    plain = decryptor.update(blocks) + decryptor.finalize()
    padding = plain[-1]
    if not 0 < padding <= BLOCK or plain[-padding:] != bytes((padding,)) * padding:
        raise NotGenuine("signed, but not encrypted with this source's aes_key")
    end = HEAD + int.from_bytes(plain[16:HEAD])
    if not compare_digest(plain[end:-padding], receiver.encode()):
        raise NotGenuine("signed, but for another account than this source's")
    return plain[HEAD:end]


@lru_cache(maxsize=256)
def cipher(aes_key: str) -> Cipher[modes.CBC]:
    """The cipher of an EncodingAESKey: 43 characters of base64, 32 bytes; ConfigError where it is none."""
    try:
        key = b64decode(aes_key + "=", validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ConfigError(
            "aes_key is no EncodingAESKey",
            "the secrets of a source of WeChat or WeCom",
            "copy it from the console: 43 letters and digits",
        )
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
