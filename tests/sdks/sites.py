"""Small HTTP servers of the tests: a shop's pages, and a gate before ingest that notes what goes through."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Request(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@contextmanager
def serving(answer: Callable[[Request], Answer]) -> Iterator[int]:
    """Answer requests on a port of this machine; gives the port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            super().handle_one_request()
            self.close_connection = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            found = answer(Request(self.command, self.path, headers, body))
            self.send_response_only(found.status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(found.body)))
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(found.body)

        do_GET = do_POST = do_OPTIONS = answer  # noqa: N815 - the standard library's names

        def log_message(self, *_: object) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A browser hangs up as it likes."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Gate:
    """Before ingest: passes every request on as it is, or with its body cut short, and notes the answers to posts."""

    def __init__(self, host: str, port: int, *, cutting: bool = False) -> None:
        self.statuses: list[int] = []
        self.url = ""
        self._address, self._cutting = (host, port), cutting

    @contextmanager
    def open(self) -> Iterator["Gate"]:
        """Let requests through at `url`."""
        with serving(self._pass) as port:
            self.url = f"http://127.0.0.1:{port}"
            yield self

    def _pass(self, request: Request) -> Answer:
        headers = {name: value for name, value in request.headers.items() if name not in HOP}
        body = request.body[:-5] if self._cutting and request.method == "POST" else request.body
        connection = http.client.HTTPConnection(*self._address, timeout=30)
        try:
            connection.request(request.method, request.path, body, headers)
            response = connection.getresponse()
            given = {name: value for name, value in response.headers.items() if name.lower() not in HOP}
            answer = Answer(response.status, given, response.read())
        except (OSError, http.client.HTTPException):
            answer = Answer(502, {}, b"")
        finally:
            connection.close()
        if request.method == "POST" and not request.path.endswith("/m"):
            self.statuses.append(answer.status)
        return answer
