"""How the clusters of two identifiers become one: union-find by commands between their roots.

    root A --claim, with room--> identifier B --(follows Links)--> root B
    the lesser root becomes a Link and sends --absorb--> the greater, if it fits in the room that it was granted
    the greater takes everything over and tells those it took: --relink-->

Room is granted before anything is given (`rules/room.py`). Where none was, or too little, the lesser claims in turn and
the greater grants it. A claim that carries room is answered once: by an absorb, a claim, a refuse or a release, or
by itself where it comes back to its own root. Who waits to give itself up, waits for lesser roots only, and who waits
for room holds nobody's: so nothing waits in a circle.

Actors are never parted again; which of a cluster's identifiers are one customer is a view (`rules/customers.py`).
Claims and absorbs may overtake each other, come to Links or to identifiers of which nothing is known: nothing depends
on the order.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from processors.identifiers import Identifiers, ends
from processors.messages import Command, Definitions, Output
from processors.rules import room
from processors.rules.links import join, note
from processors.rules.published import cause_of, refuse, review
from processors.rules.room import Extent
from processors.rules.stage import advance, evaluate
from schemas.commands import VERSION, Absorb, Claim, Refuse, Release
from schemas.facts import union
from schemas.state import FORMAT, Cluster, Link, State

Answer = tuple[State, list[Output]]


def claim_of(
    cluster: Cluster, root: str, to: str, pair: str, when: list[Any], says: str, identifiers: Identifiers
) -> Command:
    """The claim of a root on an identifier that a statement links with one of its own; a lesser is granted room."""
    counted = says == "link" and ends(pair)[0] in identifiers.crowded(cluster["links"])
    mine, granted = room.extent_of(cluster), None
    if not counted and identifiers.greater(root, to):
        granted = room.reserve(cluster, mine, room.name_of(pair, says), *room.SMALL)
    stated = {"to": to, "link": pair, "when": when, "says": says}
    return Command(to, _claim(mine, None if counted else root, stated, granted))


def claim(cluster: Cluster, root: str, command: Claim, definitions: Definitions) -> Answer:
    """A claim at a root: noted, and answered now or put off."""
    identifiers, pair, when = definitions.identifiers, command["link"], command["when"]
    returned = command["by"] == root and "room" in command
    given_back = room.give_back(cluster, _name(command) if returned else command.get("answers", ""))
    _, changed = note(cluster, pair, when, command["says"], command["to"], identifiers)
    cluster["rev"] += 1
    claims = [_without(command, "answers")] if command["by"] is not None else []
    state, outputs = _settle(cluster, root, claims, given_back, identifiers)
    if state["kind"] == "cluster" and changed and len(state["members"]) > 1:
        # what one identifier states of others joins nobody here
        cause = cause_of(when)
        outputs += review(state, identifiers, cause)
        outputs += evaluate(state, definitions, cause.name, cause.at, f"{cause.name} {pair}")
    return state, outputs


def refused(cluster: Cluster, root: str, command: Refuse, definitions: Definitions) -> Answer:
    """The other side refused a claim of this root."""
    cluster["rev"] += 1
    told = refuse(cluster, command["link"], cause_of(command["when"]))
    given_back = room.give_back(cluster, command.get("answers", ""))
    state, outputs = _settle(cluster, root, [], given_back, definitions.identifiers)
    return state, [*told, *outputs]


def released(cluster: Cluster, root: str, command: Release, definitions: Definitions) -> Answer:
    """The other side does not need the room that it was granted, or not now."""
    cluster["rev"] += 1
    given_back = room.give_back(cluster, command["answers"])
    return _settle(cluster, root, [], given_back, definitions.identifiers)


def absorb(cluster: Cluster, root: str, command: Absorb, clock_at: int, definitions: Definitions) -> Answer:
    """Take over everything of a root that gave itself up: it fits, for room was granted."""
    cause, identifiers = cause_of(command["when"]), definitions.identifiers
    now = max(cluster["at"], command["at"], clock_at)
    outputs: list[Output] = [*advance(cluster, now, definitions), *_relinks(root, command)]
    _take_over(cluster, command, identifiers)
    outputs += review(cluster, identifiers, cause)
    outputs += evaluate(cluster, definitions, cause.name, cause.at, f"{cause.name} {command['giver']}")
    given_back = room.give_back(cluster, command.get("answers", ""))
    state, more = _settle(cluster, root, [], given_back, identifiers)
    return state, outputs + more


def relink(state: State | None, owner: str, identifiers: Identifiers) -> list[Output]:
    """Point a Link to a greater owner."""
    if state is not None and state["kind"] == "link" and identifiers.greater(owner, state["owner"]):
        state["owner"] = owner
        state["rev"] += 1
    return []


def _settle(
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
    if _name(claim) in cluster.get("granted", {}):
        return _release(claim)
    granted = room.reserve(cluster, mine, _name(claim), claim["size"], claim["bytes"] + room.SLACK)
    if granted:
        return [_claim_in_turn(root, claim, mine, granted)]
    return [*_release(claim), *_put_off(cluster, root, _without(claim, "room"))]


def _put_off(cluster: Cluster, root: str, claim: dict[str, Any]) -> list[Output]:
    return [] if room.put_off(cluster, claim) else [Command(root, claim)]


def _release(claim: dict[str, Any]) -> list[Output]:
    """Give back the room that a claim carries."""
    if "room" not in claim:
        return []
    return [Command(claim["by"], {"v": VERSION, "kind": "release", "answers": _name(claim)})]


def _refuse(cluster: Cluster, claim: dict[str, Any]) -> list[Output]:
    refusal = {"v": VERSION, "kind": "refuse", "link": claim["link"], "when": claim["when"]}
    if "room" in claim:
        refusal["answers"] = _name(claim)
    return [*refuse(cluster, claim["link"], cause_of(claim["when"])), Command(claim["by"], refusal)]


def _claim_in_turn(root: str, claim: dict[str, Any], mine: Extent, granted: list[int] | None) -> Command:
    stated = {name: claim[name] for name in ("to", "link", "when", "says")}
    if "room" in claim:
        stated["answers"] = _name(claim)
    return Command(claim["by"], _claim(mine, root, stated, granted))


def _claim(mine: Extent, by: str | None, stated: dict[str, Any], granted: list[int] | None) -> dict[str, Any]:
    carried = {"room": granted} if granted else {}
    return {
        "v": VERSION, "kind": "claim", "by": by, "size": mine.members, "bytes": mine.bytes, **carried, **stated,
    }  # fmt: skip


def _name(claim: Claim | dict[str, Any]) -> str:
    return room.name_of(claim["link"], claim["says"])


def _without(claim: Claim | dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in claim.items() if key != name}


def _everything(cluster: Cluster, giver: str, claim: dict[str, Any]) -> Command:
    taken = {name: cluster[name] for name in (*room.CARRIED, "at", "rev")}  # type: ignore[literal-required]
    told = {"giver": giver, "to": claim["by"], "answers": _name(claim), "when": claim["when"]}
    return Command(claim["by"], {"v": VERSION, "kind": "absorb", **told, **taken})


def _relinks(root: str, command: Absorb) -> Sequence[Output]:
    gave = command["giver"], command["to"]
    relink = {"v": VERSION, "kind": "relink", "owner": root}
    return [Command(member, relink) for member in command["members"] if (member, root) != gave]


def _take_over(cluster: Cluster, command: Absorb, identifiers: Identifiers) -> None:
    cluster["members"] = identifiers.sorted({*cluster["members"], *command["members"]})
    for primary, part in command["parts"].items():
        mine = cluster["parts"].get(primary)
        cluster["parts"][primary] = part if mine is None else union((mine, part))
    join(cluster, command["links"], command["said"])
    for pair, stated in command["refused"].items():
        cluster["refused"][pair] = max(stated, cluster["refused"].get(pair, stated), key=itemgetter(1))
    cluster["published"] |= command["published"]
    cluster["rev"] = max(cluster["rev"], command["rev"]) + 1


def _link_to(owner: str, cluster: Cluster) -> Link:
    return {
        "v": FORMAT, "kind": "link", "owner": owner, "rev": cluster["rev"],
        "seen": cluster["seen"], "seen_overflow": cluster["seen_overflow"],
    }  # fmt: skip
