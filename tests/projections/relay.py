"""A TCP relay between a client and a server, to be cut at a moment of a test's choice."""

import contextlib
import socket
import threading


class Relay:
    """Listens on `port` (0: any) and passes bytes to `target` on loopback.

    Once it is armed, the end of the next query's answer is kept back and both ends are cut.
    """

    def __init__(self, port: int, target: int) -> None:
        self.target = target
        self.armed = threading.Event()
        self.cuts = 0
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = int(self.listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self) -> None:
        """Cut at the next end of a query: after the server executed it, before the client hears of it."""
        self.armed.set()

    def close(self) -> None:
        self.listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
                threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._pump, args=(server, client, True), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                # EndOfStream, packet type 5, is the last byte of a finished query's answer
                if answers and data[-1] == 5 and self.armed.is_set():
                    self.armed.clear()
                    self.cuts += 1
                    break
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
