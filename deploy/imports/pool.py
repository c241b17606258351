"""The processes that prepare loads. Ctrl-C is the importer's to hear: they end with it, and say nothing."""

import signal
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, ParamSpec, TypeVar

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class Pool(ProcessPoolExecutor):
    """Up to so many processes, each begun with `begin(*given)`."""

    def __init__(self, processes: int, begin: Callable[..., None], *given: Any) -> None:
        super().__init__(processes, get_context("spawn"), begin, given)

    def submit(
        self, work: Callable[Given, Answer], /, *args: Given.args, **words: Given.kwargs
    ) -> Future[Answer]:
        """Have work done; a process that this starts has SIGINT blocked before its first instruction."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super().submit(work, *args, **words)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
