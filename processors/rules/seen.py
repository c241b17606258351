"""Duplicates are dropped before anything else.

What states something in the books counts once for ever; any other event once within its primary identifier's own
window of 24 hours of `received_at`.
"""

from hashlib import blake2b

from schemas.event import EventBody
from schemas.semantics import REGISTRY
from schemas.state import MAX_SEEN, SEEN_MS, Seen

_SEEN_S = SEEN_MS // 1000
BOOKED = frozenset(name for name, semantic in REGISTRY.items() if semantic.entry)


def digest_of(event: EventBody) -> str:
    """64 bits of (source, message_id), hex."""
    return blake2b(f"{event['source']}\n{event['message_id']}".encode(), digest_size=8).hexdigest()


def is_booked(event: EventBody) -> bool:
    """Whether the event states something in the books, which remember it for ever."""
    return event["name"] in BOOKED


def was_seen(state: Seen, event: EventBody, digest: str) -> bool:
    """Whether the event is in the window; remembers it where not.

    The window holds at most MAX_SEEN digests; what a full window forgets early is counted.
    """
    seen, received = state["seen"], event["received_at"] // 1000
    at = seen.get(digest)
    if at is not None:
        if at > received - _SEEN_S:
            return True
        del seen[digest]
    seen[digest] = received
    if len(seen) > MAX_SEEN or seen[next(iter(seen))] <= received - _SEEN_S:
        _forget(state, received - _SEEN_S)
    return False


def _forget(state: Seen, before: int) -> None:
    seen = state["seen"]
    oldest = next(iter(seen))
    while seen[oldest] <= before or len(seen) > MAX_SEEN:
        state["seen_overflow"] += seen.pop(oldest) > before
        oldest = next(iter(seen))
