"""How much of the log is rejected: bad code must not drain it into the dead letters."""

from collections import deque

from schemas.errors import TooManyRejected

WINDOW = 10_000
MIN_REJECTED = 200


class Rejections:
    """How much of the last WINDOW records was rejected; more than the set share stops the worker."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._chunks: deque[tuple[int, int]] = deque()
        self._read = self._rejected = 0

    def count(self, read: int, rejected: int) -> None:
        """Count a chunk; TooManyRejected where the share is passed."""
        self._chunks.append((read, rejected))
        self._read += read
        self._rejected += rejected
        while self._read - self._chunks[0][0] >= WINDOW:
            old = self._chunks.popleft()
            self._read -= old[0]
            self._rejected -= old[1]
        if self._rejected >= MIN_REJECTED and self._rejected > self._share * self._read:
            what = f"{self._rejected} of the last {self._read} records were rejected"
            raise TooManyRejected(
                what, "cdp.rejected.v1", "read why there; CDP_MAX_REJECTED_SHARE=1 lets all pass"
            )
