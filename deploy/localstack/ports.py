"""Ports on loopback."""

import random
import socket
from contextlib import suppress

from schemas.errors import PortInUse

LOOPBACK = "127.0.0.1"
OUTSIDE_EPHEMERAL = (12_000, 32_000)


def require_free(port: int, setting: str) -> None:
    """Raise PortInUse, naming the setting that moves it, when something listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            raise PortInUse(
                f"port {port} is in use", f"{LOOPBACK}:{port}", f"stop what listens there, or set {setting}"
            ) from None


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on just now, each another.

    They lie below those that systems give to outgoing connections, so that none of these takes a server's port while
    that restarts.
    """
    ports: list[int] = []
    while len(ports) < count:
        port = random.randrange(*OUTSIDE_EPHEMERAL)  # noqa: S311 - no secret
        with suppress(PortInUse):
            require_free(port, "")
            ports += [port] * (port not in ports)
    return ports
