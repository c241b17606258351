"""Waiting for the views: by progress, through a server's absence, and never for ever."""

import pytest

from deploy import clock, progress
from schemas.errors import Unavailable
from schemas.settings import Settings


@pytest.fixture
def folded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing to wait for but the sink."""
    monkeypatch.setattr(progress, "_wait_until_folded", lambda *_: None)


def test_no_progress_is_told_with_who_makes_none(folded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.3)
    monkeypatch.setattr(progress, "lag", lambda _: {"events": 7, "state": 0})
    with pytest.raises(Unavailable, match="the sink does not write: 7 records") as given_up:
        progress.wait_until_visible(Settings(), {})
    assert given_up.value.where == "sink"


def test_slow_progress_and_a_server_that_comes_back_are_waited_for(
    folded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 1.2)
    monkeypatch.setattr(progress, "POLL", 0.2)
    answers: list[int | None] = [5, None, 4, None, 3, None, 2, None, 1, 0]

    def lag(_: Settings) -> dict[str, int]:
        answer = answers.pop(0)
        if answer is None:
            raise Unavailable("away for a moment")
        return {"events": answer}

    monkeypatch.setattr(progress, "lag", lag)
    told: list[int] = []
    progress.wait_until_visible(Settings(), {}, told.append)
    assert told == [5, 4, 3, 2, 1]


def test_what_moves_and_shows_nothing_until_its_end_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.05)
    monkeypatch.setattr(progress, "POLL", 0.01)
    moved = iter([1, 2, 3, 4, 5, 5])
    with pytest.raises(Unavailable, match="7 records"):
        progress.wait(lambda: 7, "it stands", "sink", lambda _: None, lambda: next(moved))
    assert list(moved) == []


def test_workers_that_do_not_run_are_told(deployment: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 1.0)
    with pytest.raises(Unavailable, match="the workers do not fold"):
        progress.wait_until_visible(deployment, clock.hold(deployment))
