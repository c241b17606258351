"""Which answer a claim gets: room, everything, a refusal, or that it waits."""

from typing import Any

from processors.identifiers import Identifiers, ends
from processors.messages import Command, Output
from processors.rules import room
from processors.rules.conflicts import refuse
from processors.rules.identity_changes import cause_of
from processors.rules.room import Extent
from schemas.commands import VERSION, Claim
from schemas.state import FORMAT, Cluster, Link, State

Answer = tuple[State, list[Output]]


def settle(
    cluster: Cluster, root: str, claims: list[dict[str, Any]], given_back: bool, identifiers: Identifiers
) -> Answer:
    """Answer claims, and where room was given back those put off too: the greatest first, for it may take all.

    What was put off goes with a root that gives itself, as commands to its owner.
    """
    if given_back:
        claims = claims + room.take_waiting(cluster)
    if not claims:
        return cluster, []
    mine, crowded = room.extent_of(cluster), identifiers.crowded(cluster["links"])
    claims.sort(key=lambda one: (identifiers.place(one["by"]), one["link"]))
    outputs = list[Output]()
    for number, one in enumerate(claims):
        if one["by"] in cluster["members"]:
            continue
        if one["says"] == "link" and not crowded.isdisjoint(ends(one["link"])):
            outputs += _release(one)
        elif room.too_large(mine, Extent(one["size"], one["bytes"])):
            outputs += _refuse(cluster, one)
        elif not identifiers.greater(one["by"], root):
            outputs += _grant(cluster, root, one, mine)
        elif "granted" in cluster:
            outputs += _put_off(cluster, root, one)
        elif room.fits(mine, one.get("room", (0, 0))):
            left = [Command(one["by"], other) for other in claims[number + 1 :]]
            return _link_to(one["by"], cluster), [*outputs, _everything(cluster, root, one), *left]
        else:
            outputs.append(_claim_in_turn(root, one, mine, None))
    return cluster, outputs


def _grant(cluster: Cluster, root: str, claim: dict[str, Any], mine: Extent) -> list[Output]:
    """Grant a lesser root room, now or later; the room that it holds for this root is no use here."""
    if room.name_of(claim) in cluster.get("granted", {}):
        return _release(claim)
    granted = room.reserve(cluster, mine, room.name_of(claim), claim["size"], claim["bytes"] + room.SLACK)
    if granted:
        return [_claim_in_turn(root, claim, mine, granted)]
    return [*_release(claim), *_put_off(cluster, root, without(claim, "room"))]


def _put_off(cluster: Cluster, root: str, claim: dict[str, Any]) -> list[Output]:
    return [] if room.put_off(cluster, claim) else [Command(root, claim)]


def _release(claim: dict[str, Any]) -> list[Output]:
    """Give back the room that a claim carries."""
    if "room" not in claim:
        return []
    return [Command(claim["by"], {"v": VERSION, "kind": "release", "answers": room.name_of(claim)})]


def _refuse(cluster: Cluster, claim: dict[str, Any]) -> list[Output]:
    refusal = {"v": VERSION, "kind": "refuse", "link": claim["link"], "when": claim["when"]}
    if "room" in claim:
        refusal["answers"] = room.name_of(claim)
    return [*refuse(cluster, claim["link"], cause_of(claim["when"])), Command(claim["by"], refusal)]


def _claim_in_turn(root: str, claim: dict[str, Any], mine: Extent, granted: list[int] | None) -> Command:
    stated = {name: claim[name] for name in ("to", "link", "when", "says")}
    if "room" in claim:
        stated["answers"] = room.name_of(claim)
    return Command(claim["by"], claim_body(mine, root, stated, granted))


def claim_body(
    mine: Extent, by: str | None, stated: dict[str, Any], granted: list[int] | None
) -> dict[str, Any]:
    """A claim of a root, with the room that it grants."""
    carried = {"room": granted} if granted else {}
    return {
        "v": VERSION, "kind": "claim", "by": by, "size": mine.members, "bytes": mine.bytes, **carried, **stated,
    }  # fmt: skip


def without(claim: Claim | dict[str, Any], name: str) -> dict[str, Any]:
    """A claim but for one of its fields."""
    return {key: value for key, value in claim.items() if key != name}


def _everything(cluster: Cluster, giver: str, claim: dict[str, Any]) -> Command:
    taken = {name: cluster[name] for name in (*room.CARRIED, "at", "rev")}  # type: ignore[literal-required]
    told = {"giver": giver, "to": claim["by"], "answers": room.name_of(claim), "when": claim["when"]}
    return Command(claim["by"], {"v": VERSION, "kind": "absorb", **told, **taken})


def _link_to(owner: str, cluster: Cluster) -> Link:
    return {
        "v": FORMAT, "kind": "link", "owner": owner, "rev": cluster["rev"],
        "seen": cluster["seen"], "seen_overflow": cluster["seen_overflow"],
    }  # fmt: skip
