"""Requests that no well-behaved client would send."""

import socket
from typing import Any

import orjson

from tests.ingest.servers import Answer, Client


def assert_told(answer: Answer) -> None:
    """The one shape of everything that is no success."""
    assert set(answer.body) == {"success", "code", "message"}
    assert answer.body["success"] is False
    assert answer.body["code"]
    assert answer.headers["content-type"] == "application/json"


def raw(client: Client, request_line: str, headers: dict[str, str]) -> Answer:
    """The answer to what no well-behaved client would send; 400 where it is none but an end."""
    with socket.create_connection(client.address, timeout=10) as connection:
        lines = [request_line, "Host: x", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        connection.sendall("\r\n".join(lines).encode("latin-1"))
        found = bytearray()
        while not _is_whole(found, request_line) and (more := connection.recv(65_536)):
            found += more
    head, _, body = bytes(found).partition(b"\r\n\r\n")
    start, *lines_ = head.decode("latin-1").split("\r\n")
    told = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines_)}
    parsed: Any = orjson.loads(body) if body and told.get("content-type") == "application/json" else body
    return Answer(int(start.split(" ")[1]) if start else 400, told, parsed)


def _is_whole(found: bytearray, request_line: str) -> bool:
    head, end, body = bytes(found).partition(b"\r\n\r\n")
    if not end:
        return False
    length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return request_line.startswith("HEAD ") or len(body) >= (int(length[0].split(b":")[1]) if length else 0)
