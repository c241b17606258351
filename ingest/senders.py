"""Who sent a request, as far as the network tells. Pure."""

from collections.abc import Iterable
from typing import Any

FORWARDED = b"x-forwarded-for"
NOBODY = "", ""


def sender(scope: Any, hops: int) -> tuple[str, str]:
    """A request's User-Agent and the address that it came from, empty where unknown.

    `hops` proxies of the deployment's own stand before ingest, and each adds to X-Forwarded-For whom it heard: what
    stands further left was written by anybody.
    """
    agent = b"".join(value for name, value in scope["headers"] if name == b"user-agent")
    peer = scope["client"][0] if scope.get("client") else ""
    return agent.decode("latin-1"), _forwarded(scope["headers"], hops) or peer


def _forwarded(headers: Iterable[tuple[bytes, bytes]], hops: int) -> str:
    if not hops:
        return ""
    lines = b",".join(value for name, value in headers if name == FORWARDED).decode("latin-1")
    heard = [address.strip() for address in lines.split(",")]
    return heard[-hops] if len(heard) >= hops else ""
