"""Memory as batches use it: kept for the next one, and not searched for cycles that are not there."""

import ctypes
import gc

_M_TRIM_THRESHOLD, _M_ARENA_MAX = -1, -8
_KEPT = 256 * 1024 * 1024
_NEW_OBJECTS = 200_000
"""More than a batch makes: most of them are gone again before the collector looks."""


def keep() -> None:
    """Let glibc keep up to 256 MiB of freed memory, and the collector look for cycles once in _NEW_OBJECTS.

    Rows are no cycles, but each batch had the collector search all of them again and again, for a third of the
    time that making them took. A batch takes some tens of megabytes and gives them back; fetching them anew, page
    by page, for every batch cost more than making its rows (13 against 5 microseconds an event). One arena, for
    threads' arenas are trimmed all the same, and Python runs one thread at a time. Elsewhere than on glibc: nothing.
    """
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_TRIM_THRESHOLD, _KEPT)
        mallopt(_M_ARENA_MAX, 1)
