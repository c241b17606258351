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
from processors.rules.conflicts import refuse
from processors.rules.evaluation import advance, evaluate_all
from processors.rules.identity_changes import cause_of
from processors.rules.links import join, note
from processors.rules.published import review
from processors.rules.settling import Answer, claim_body, settle, without
from processors.rules.why import Why
from schemas.commands import VERSION, Absorb, Claim, Refuse, Release
from schemas.facts import union
from schemas.state import Cluster, State


def claim_of(
    cluster: Cluster, root: str, to: str, pair: str, when: list[Any], says: str, identifiers: Identifiers
) -> Command:
    """The claim of a root on an identifier that a statement links with one of its own; a lesser is granted room."""
    counted = says == "link" and ends(pair)[0] in identifiers.crowded(cluster["links"])
    mine, granted = room.extent_of(cluster), None
    stated = {"to": to, "link": pair, "when": when, "says": says}
    if not counted and identifiers.greater(root, to):
        granted = room.reserve(cluster, mine, room.name_of(stated), *room.SMALL)
    return Command(to, claim_body(mine, None if counted else root, stated, granted))


def claim(cluster: Cluster, root: str, command: Claim, definitions: Definitions) -> Answer:
    """A claim at a root: noted, and answered now or put off."""
    identifiers, pair, when = definitions.identifiers, command["link"], command["when"]
    returned = command["by"] == root and "room" in command
    given_back = room.give_back(cluster, room.name_of(command) if returned else command.get("answers", ""))
    _, changed = note(cluster, pair, when, command["says"], command["to"], identifiers)
    cluster["rev"] += 1
    claims = [without(command, "answers")] if command["by"] is not None else []
    state, outputs = settle(cluster, root, claims, given_back, identifiers)
    if state["kind"] == "cluster" and changed and len(state["members"]) > 1:
        # what one identifier states of others joins nobody here
        cause = cause_of(when)
        outputs += review(state, identifiers, cause)
        outputs += evaluate_all(state, definitions, Why(cause.name, cause.at, f"{cause.name} {pair}"))
    return state, outputs


def refused(cluster: Cluster, root: str, command: Refuse, definitions: Definitions) -> Answer:
    """The other side refused a claim of this root."""
    cluster["rev"] += 1
    told = refuse(cluster, command["link"], cause_of(command["when"]))
    given_back = room.give_back(cluster, command.get("answers", ""))
    state, outputs = settle(cluster, root, [], given_back, definitions.identifiers)
    return state, [*told, *outputs]


def released(cluster: Cluster, root: str, command: Release, definitions: Definitions) -> Answer:
    """The other side does not need the room that it was granted, or not now."""
    cluster["rev"] += 1
    given_back = room.give_back(cluster, command["answers"])
    return settle(cluster, root, [], given_back, definitions.identifiers)


def absorb(cluster: Cluster, root: str, command: Absorb, clock_at: int, definitions: Definitions) -> Answer:
    """Take over everything of a root that gave itself up: it fits, for room was granted."""
    cause, identifiers = cause_of(command["when"]), definitions.identifiers
    now = max(cluster["at"], command["at"], clock_at)
    outputs: list[Output] = [*advance(cluster, now, definitions), *_relinks(root, command)]
    _take_over(cluster, command, identifiers)
    outputs += review(cluster, identifiers, cause)
    why = Why(cause.name, cause.at, f"{cause.name} {command['giver']}")
    outputs += evaluate_all(cluster, definitions, why)
    given_back = room.give_back(cluster, command.get("answers", ""))
    state, more = settle(cluster, root, [], given_back, identifiers)
    return state, outputs + more


def relink(state: State | None, owner: str, identifiers: Identifiers) -> list[Output]:
    """Point a Link to a greater owner."""
    if state is not None and state["kind"] == "link" and identifiers.greater(owner, state["owner"]):
        state["owner"] = owner
        state["rev"] += 1
    return []


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
