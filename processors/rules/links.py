"""Links: remember which identifiers an event names together, and what an alias says of a pair.

A link is (greater, lesser) -> the least (occurred_at, message_id) that stated it; of what was said of a pair the latest
counts.
Uniting customers through them is the identity rules' work.
"""

from typing import Any

from schemas.event import EventBody
from schemas.state import MAX_LINKS, Cluster


def note(cluster: Cluster, keys: list[str], event: EventBody) -> None:
    """Note what the event states of its primary and each of its other identifiers, in place."""
    when = [event["occurred_at"], event["message_id"]]
    for other in keys[1:]:
        pair = f"{keys[0]} {other}"
        if event["type"] == "alias":
            said = [*when, "alias"]
            _bounded(cluster["said"], pair, max(said, cluster["said"].get(pair, said)))
        else:
            _bounded(cluster["links"], pair, min(when, cluster["links"].get(pair, when)))


def _bounded(pairs: dict[str, list[Any]], pair: str, stated: list[Any]) -> None:
    pairs[pair] = stated
    if len(pairs) > MAX_LINKS:
        del pairs[max(pairs)]
