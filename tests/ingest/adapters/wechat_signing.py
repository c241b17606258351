"""What WeChat's servers do to what they send, as their documentation says it: nothing of it is ours."""

import struct
from base64 import b64decode, b64encode
from hashlib import sha1
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ingest.adapters.adapter import Hook

PAYLOADS = Path(__file__).parent / "payloads"
TOKEN = "a-token"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
NOW = 1_790_000_000_000
TIMESTAMP = "1790000000"
NONCE = "486452656"


def signature(*parts: str) -> str:
    return sha1("".join(sorted(parts)).encode()).hexdigest()


def seal(message: bytes, receiver: str, key: str = AES_KEY, start: bytes = b"0123456789abcdef") -> str:
    plain = start + struct.pack(">I", len(message)) + message + receiver.encode()
    missing = 32 - len(plain) % 32
    secret = b64decode(key + "=")
    encryptor = Cipher(algorithms.AES(secret), modes.CBC(secret[:16])).encryptor()
    return b64encode(encryptor.update(plain + bytes([missing]) * missing) + encryptor.finalize()).decode()


def query(timestamp: str = TIMESTAMP, nonce: str = NONCE, token: str = TOKEN) -> dict[str, str]:
    return {"timestamp": timestamp, "nonce": nonce, "signature": signature(token, timestamp, nonce)}


def enclosed(sealed: str) -> bytes:
    return f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>".encode()


def encrypted(message: bytes, receiver: str, start: bytes = b"0123456789abcdef") -> Hook:
    """A push in secure mode."""
    sealed = seal(message, receiver, start=start)
    signed = {"encrypt_type": "aes", "msg_signature": signature(TOKEN, TIMESTAMP, NONCE, sealed)}
    return hook(enclosed(sealed), {**query(), **signed})


def hook(body: bytes, asked: dict[str, str] | None = None, method: str = "POST", now: int = NOW) -> Hook:
    """A push in plain mode, where nothing else is asked."""
    return Hook(method, query() if asked is None else asked, {}, body, now)


def payload(folder: str, name: str) -> bytes:
    return (PAYLOADS / folder / f"{name}.xml").read_bytes()
