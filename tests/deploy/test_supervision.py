import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from deploy.program import Program
from deploy.supervision import HANGS_AFTER, STARTS_WITHIN, Child, delay


class AtOnce(Executor):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Answer:
    def __init__(self) -> None:
        self.given = True

    def __call__(self) -> None:
        if not self.given:
            raise TimeoutError


@pytest.fixture
def answer() -> Answer:
    return Answer()


@pytest.fixture
def child(tmp_path: Path, answer: Answer) -> Iterator[Child]:
    made = Child(Program("sleeper", ["sleep", "600"], tmp_path / "log", answer))
    made.start(0)
    made.tick(0, AtOnce())
    made.tick(0.1, AtOnce())
    assert made.ready
    yield made
    made.stop()


def die(child: Child, now: float) -> None:
    child.program.send(signal.SIGKILL)
    child.program.wait()
    child.tick(now, AtOnce())


def test_the_delay_doubles_from_half_a_second_to_half_a_minute() -> None:
    assert [delay(n) for n in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_one_that_dies_is_started_again_after_the_delay(child: Child) -> None:
    first = child.program.pid
    die(child, 1)
    assert (child.state, child.last_exit, child.restarts) == ("waiting", -9, 0)
    child.tick(1.4, AtOnce())
    assert child.state == "waiting"
    child.tick(1.5, AtOnce())
    assert (child.state, child.restarts) == ("starting", 1)
    assert child.program.pid != first


def test_the_delay_is_short_again_after_a_good_run(child: Child) -> None:
    die(child, 1)
    child.tick(2, AtOnce())
    die(child, 3)
    assert child.failures == 2
    child.tick(4, AtOnce())
    die(child, 4 + 60)
    assert child.failures == 1


def test_one_that_hangs_is_killed_and_started_again(child: Child, answer: Answer) -> None:
    answer.given = False
    now = 0.1
    while now < HANGS_AFTER:
        child.tick(now := now + 1, AtOnce())
    assert child.state == "silent"
    child.tick(HANGS_AFTER + 2, AtOnce())
    assert (child.state, child.last_exit) == ("waiting", -9)


def test_one_that_recovers_after_a_start_is_given_longer(child: Child, answer: Answer) -> None:
    answer.given = False
    die(child, 1)
    child.tick(2, AtOnce())
    child.tick(2 + STARTS_WITHIN - 1, AtOnce())
    assert child.state == "starting"
    child.tick(2 + STARTS_WITHIN + 1, AtOnce())
    assert child.state == "waiting"


def test_what_was_stopped_stays_so(child: Child) -> None:
    child.stop()
    child.tick(100, AtOnce())
    assert not child.program.alive
    assert child.told(0).process is None
