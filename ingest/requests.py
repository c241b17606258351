"""Reading a request's body: within its limits, in bounded time and memory."""

import asyncio
import contextlib

from starlette.types import Receive

from ingest.bodies import MAX_BODY, inflate, oversized
from ingest.deadlines import Deadlines
from ingest.problems import Problem, overloaded
from ingest.refusal import Refusal, malformed

BODY_SECONDS = 10.0
MAX_HELD = 64 * 1024 * 1024
"""Bytes of bodies that all requests together may hold."""
MAX_DRAINED = 8 * 1024 * 1024
"""Bytes of a body that are read and dropped where it is not taken, so that its sender hears the answer."""


class Held:
    """Bytes of bodies that are held now, and the time that each may still take to come."""

    def __init__(self) -> None:
        self.bytes = 0
        self.deadlines = Deadlines(BODY_SECONDS)


class Hold:
    """What one request holds, until it lets go."""

    __slots__ = ("_held", "bytes", "deadlines")

    def __init__(self, held: Held) -> None:
        self._held, self.bytes, self.deadlines = held, 0, held.deadlines

    def add(self, size: int) -> None:
        """Hold more; Problem 429 where there is no room for it."""
        if self._held.bytes + size > MAX_HELD:
            raise overloaded()
        self.bytes += size
        self._held.bytes += size

    def release(self) -> None:
        """Let go of everything."""
        self._held.bytes -= self.bytes
        self.bytes = 0


async def drop(receive: Receive, hold: Hold) -> None:
    """Read a body that nobody needs, and hold none of it: who cannot send it to its end does not hear the answer."""
    with contextlib.suppress(Problem, Refusal):
        await read(receive, b"", hold, keep=False)


async def read(
    receive: Receive, encoding: bytes, hold: Hold, *, keep: bool = True, most: int = MAX_BODY
) -> bytes:
    """The plain body, of so many bytes at `most`.

    Refusal where it is too large or not encoded as claimed; Problem where it does not come.
    """
    task = hold.deadlines.begin()
    try:
        body = await _read(receive, hold, keep, most)
    except asyncio.CancelledError:
        if hold.deadlines.end(task):
            raise
        task.uncancel()
        raise Problem(408, "timeout", "the body came too slowly") from None
    finally:
        hold.deadlines.end(task)
    return _decoded(body, encoding.strip().lower(), most) if encoding else body


def _decoded(body: bytes, encoding: bytes, most: int) -> bytes:
    if encoding == b"gzip":
        return inflate(body, most)
    if encoding in (b"", b"identity"):
        return body
    raise malformed("Content-Encoding may be gzip or nothing", body)


async def _read(receive: Receive, hold: Hold, keep: bool, most: int) -> bytes:
    chunks: list[bytes] = []
    size, more, full = 0, True, None
    while more and size <= MAX_DRAINED:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, "malformed", "the body is cut off")
        chunk, more = message.get("body", b""), message.get("more_body", False)
        size += len(chunk)
        if keep and size <= most:
            try:
                hold.add(len(chunk))
                chunks.append(chunk)
            except Problem as problem:
                keep, full = False, problem
                chunks.clear()
                hold.release()
    if full is not None:
        raise full
    if size > most:
        raise oversized(b"".join(chunks), most)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
