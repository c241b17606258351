"""Ports on loopback."""

import socket
from contextlib import ExitStack

from schemas.errors import PortInUse

LOOPBACK = "127.0.0.1"


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
    """Return ports that nothing listens on just now, each another."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
