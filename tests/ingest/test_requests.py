import asyncio
import gzip
from typing import Any

import pytest

from ingest import requests
from ingest.bodies import MAX_BODY, MAX_EVENT
from ingest.problems import Problem
from ingest.refusal import Refusal
from ingest.requests import Held, Hold, read


def body_of(*chunks: bytes, encoding: bytes = b"", held: Held | None = None, gone: bool = False) -> bytes:
    """What is read of a body that comes in these chunks; one that is not `gone` just stops coming."""
    waiting = list(chunks)

    async def receive() -> dict[str, Any]:
        if waiting:
            chunk = waiting.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(waiting) or chunk == b"..."}
        if gone:
            return {"type": "http.disconnect"}
        await asyncio.Event().wait()
        raise AssertionError

    return asyncio.run(read(receive, encoding, Hold(held or Held())))


def test_a_body_is_read_whole() -> None:
    assert body_of(b"a", b"b", b"", b"c") == b"abc"
    assert body_of(b"") == b""
    assert body_of(gzip.compress(b"x", mtime=0), encoding=b" GZIP ") == b"x"


def test_a_slow_body_is_answered_with_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "BODY_SECONDS", 0.01)
    with pytest.raises(Problem) as problem:
        body_of(b"...")
    assert (problem.value.status, problem.value.code) == (408, "timeout")


def test_a_body_that_is_cut_off_is_400() -> None:
    with pytest.raises(Problem) as problem:
        body_of(b"...", gone=True)
    assert problem.value.status == 400


def test_a_body_over_the_limit_keeps_its_start() -> None:
    assert len(body_of(b"x" * MAX_BODY)) == MAX_BODY
    with pytest.raises(Refusal) as refusal:
        body_of(b"x" * MAX_BODY, b"y")
    assert (refusal.value.reason, refusal.value.original) == ("too_large", b"x" * MAX_EVENT)


def test_an_endless_body_is_not_read_to_its_end() -> None:
    with pytest.raises(Refusal):
        body_of(*[b"x" * 1_000_000] * 9, b"...")


def test_all_bodies_together_are_bounded_and_let_go() -> None:
    held = Held()
    held.bytes = requests.MAX_HELD - 10
    hold = Hold(held)
    hold.add(10)
    with pytest.raises(Problem) as problem:
        hold.add(1)
    assert (problem.value.status, problem.value.retry_after) == (429, 1)
    hold.release()
    assert held.bytes == requests.MAX_HELD - 10


def test_what_finds_no_room_is_read_to_its_end_all_the_same() -> None:
    """Its sender would not hear the answer otherwise."""
    held, chunks = Held(), [b"x"] * 5
    held.bytes = requests.MAX_HELD - 2

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": chunks.pop(), "more_body": bool(chunks)}

    with pytest.raises(Problem) as problem:
        asyncio.run(read(receive, b"", Hold(held)))
    assert (problem.value.status, chunks, held.bytes) == (429, [], requests.MAX_HELD - 2)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"x", b"br"),
        (b"no gzip", b"gzip"),
        (gzip.compress(b"{}", mtime=0)[:-9], b"gzip"),
        (gzip.compress(b"{}", mtime=0) * 2, b"gzip"),
        (b"", b"gzip"),
    ],
)
def test_what_is_not_encoded_as_it_says_is_malformed_and_kept_as_it_came(
    body: bytes, encoding: bytes
) -> None:
    with pytest.raises(Refusal) as refusal:
        body_of(body, encoding=encoding)
    assert (refusal.value.reason, refusal.value.original) == ("malformed", body)
