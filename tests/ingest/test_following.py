"""What a follower applies when reading fails; with real servers it is tried in `test_sources`."""

import asyncio
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from ingest import following
from ingest.following import Following, Records
from schemas.errors import Unavailable
from schemas.settings import Settings
from schemas.topics import SOURCES

NAME = SOURCES.name()


class Over(Exception):
    """The story is told."""


class Consumer:
    """Gives what it was given; raises what is an exception."""

    def __init__(self, *polls: Any) -> None:
        self.polls, self.stopped = iter(polls), False
        self._coordinator = SimpleNamespace()
        self._fetcher = SimpleNamespace(_fetch_task=None)
        self._client = SimpleNamespace(_sync_task=None)

    async def getmany(self, **_: Any) -> Any:
        found = next(self.polls, Over())
        if isinstance(found, Exception):
            raise found
        records = [SimpleNamespace(key=key, value=value) for key, value in found]
        return {TopicPartition(NAME, 0): records}

    async def stop(self) -> None:
        self.stopped = True


def applied(
    monkeypatch: pytest.MonkeyPatch, readings: Iterable[tuple[Consumer, Records] | Unavailable]
) -> list[Any]:
    """What is applied, in its order, of these readings of the whole topic."""
    waiting, heard = iter(readings), list[Any]()

    async def whole(*_: Any) -> tuple[Consumer, Records]:
        found = next(waiting)
        if isinstance(found, Unavailable):
            raise found
        return found

    def apply(key: str, value: bytes | None) -> None:
        if value == b"strange":
            raise ValueError
        heard.append((key, value))

    async def follow() -> None:
        follower = Following(Settings(), {SOURCES: apply})
        await follower.start()
        with pytest.raises(Over):
            await follower.follow()

    monkeypatch.setattr(following, "_whole", whole)
    monkeypatch.setattr(following, "AGAIN_SECONDS", 0)
    asyncio.run(follow())
    return heard


def test_what_comes_is_applied_and_what_makes_no_sense_is_said_and_passed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    consumer = Consumer(
        [(b"b", b"1")], [(b"c", b"strange"), (b"\xff", b"2"), (None, b"3")], [], [(b"b", None)]
    )
    heard = applied(monkeypatch, [(consumer, {(NAME, "a"): b"0"})])
    assert heard == [("a", b"0"), ("b", b"1"), ("\ufffd", b"2"), ("", b"3"), ("b", None)]
    assert "record not understood" in "".join(capsys.readouterr())


def test_after_a_fault_everything_is_read_anew_and_only_the_newest_is_applied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken, whole = Consumer([(b"a", b"1")], KafkaError()), Consumer([(b"a", b"3")])
    away = Unavailable("away")
    heard = applied(monkeypatch, [(broken, {(NAME, "a"): b"0"}), away, away, (whole, {(NAME, "a"): b"2"})])
    assert heard == [("a", b"0"), ("a", b"1"), ("a", b"2"), ("a", b"3")]
    assert broken.stopped
