"""Room: what a root has promised to take over, reserved before anybody gives.

So the bounds of a cluster hold at every moment, however many merges are under way. A reservation is made with a claim
and lives until that claim is answered. A root with reservations out stays a root, so that each answer finds it. Claims
that have to wait for that are put off, in the state.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from schemas.state import MAX_MEMBERS, MAX_STATE_BYTES, Cluster

MERGED_BYTES = MAX_STATE_BYTES // 2
"""A merge makes no larger state: it has room to grow in."""
SLACK = 8 * 1024
"""Bytes that a root may grow between its claim and the room that it is granted."""
SMALL = (8, 16 * 1024)
"""Members and bytes reserved for a lesser identifier of which nothing is known yet: enough for almost all."""
MAX_WAITING = 250
"""Claims put off in a state; what comes beyond goes round once more through the log."""
CARRIED = ("members", "parts", "links", "said", "refused", "published")
"""What an absorb carries that takes room."""


class Extent(NamedTuple):
    """How large a root is: its members, and the bytes of all that an absorb would carry."""

    members: int
    bytes: int


def extent_of(cluster: Cluster) -> Extent:
    """The extent of a root, without what it has promised to take over."""
    carried = [cluster[name] for name in CARRIED]  # type: ignore[literal-required]
    return Extent(len(cluster["members"]), len(orjson.dumps(carried)))


def too_large(mine: Extent, theirs: Extent) -> bool:
    """Whether two may not be united at all, whatever becomes of what they have reserved."""
    return mine.members + theirs.members > MAX_MEMBERS or mine.bytes + theirs.bytes > MERGED_BYTES


def name_of(claim: Mapping[str, object]) -> str:
    """What a claim and its reservation are known by. A link and an alias of a pair differ: one may be crowded."""
    return f"{claim['link']} {claim['says']}"


def reserve(cluster: Cluster, mine: Extent, name: str, members: int, bytes_: int) -> list[int] | None:
    """Reserve room for who is claimed; None where it is not free, or the claim holds some already.

    With nothing reserved there is room for everybody who is not too large.
    """
    granted = cluster.get("granted", {})
    if name in granted:
        return None
    held = [sum(column) for column in zip((0, 0), *granted.values(), strict=True)]
    if mine.members + held[0] + members > MAX_MEMBERS or mine.bytes + held[1] + bytes_ > MERGED_BYTES + SLACK:
        return None
    room = cluster.setdefault("granted", {})[name] = [members, bytes_]
    return room


def fits(mine: Extent, room: Sequence[int]) -> bool:
    """Whether a root fits in the room that it was granted."""
    return mine.members <= room[0] and mine.bytes <= room[1]


def give_back(cluster: Cluster, name: str) -> bool:
    """A claim that carried room is answered; whether any was reserved."""
    granted = cluster.get("granted", {})
    if granted.pop(name, None) is None:
        return False
    if not granted:
        del cluster["granted"]
    return True


def put_off(cluster: Cluster, claim: dict[str, Any]) -> bool:
    """Keep a claim until room is given back; False where too many are kept. One that holds room is never replaced."""
    waiting, name = cluster.setdefault("waiting", {}), name_of(claim)
    known = waiting.get(name)
    if known is None and len(waiting) >= MAX_WAITING:
        return False
    if known is None or not known.get("room"):
        waiting[name] = claim
    return True


def take_waiting(cluster: Cluster) -> list[dict[str, Any]]:
    """The claims that were put off; none is kept."""
    return list(cluster.pop("waiting", {}).values())
