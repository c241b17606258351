"""How the clusters of two identifiers become one: union-find by commands between their roots.

    root A --claim--> identifier B --(follows Links)--> root B
    the lesser root becomes a Link and sends --absorb--> the greater; where that one was claimed, it claims in turn
    the greater takes everything over and tells those it took: --relink-->

Actors are never parted again; which of a cluster's identifiers are one customer is a view (`rules/customers.py`).
Claims and absorbs may overtake each other, come to Links or to identifiers of which nothing is known: nothing depends
on the order.
"""

from operator import itemgetter
from typing import Any

import orjson

from processors.identifiers import Identifiers, ends
from processors.messages import Command, Definitions, Output
from processors.rules.links import join, known_size, note
from processors.rules.published import cause_of, refuse, review
from processors.rules.stage import advance, evaluate
from schemas.commands import VERSION, Absorb, Claim, Refuse
from schemas.facts import union
from schemas.state import FORMAT, MAX_MEMBERS, MAX_STATE_BYTES, Cluster, Link, State


def claim_of(
    cluster: Cluster, root: str, to: str, pair: str, when: list[Any], says: str, identifiers: Identifiers
) -> Command:
    """The claim of a root on an identifier that a statement links with one of its own."""
    counted = says == "link" and ends(pair)[0] in identifiers.crowded(cluster["links"])
    body = {"to": to, "link": pair, "when": when, "says": says}
    return Command(to, _claim(_extent(cluster), None if counted else root, body))


def claim(
    cluster: Cluster, root: str, command: Claim, definitions: Definitions
) -> tuple[State, list[Output]]:
    """A claim at a root: nothing, a refusal, a claim in turn, or it becomes a Link and gives all to the other."""
    identifiers, by, pair, when = definitions.identifiers, command["by"], command["link"], command["when"]
    cause, outputs = cause_of(when), list[Output]()
    _, changed = note(cluster, pair, when, command["says"], command["to"], identifiers)
    cluster["rev"] += 1
    crowded = command["says"] == "link" and not identifiers.crowded(cluster["links"]).isdisjoint(ends(pair))
    asked = by is not None and by not in cluster["members"] and not crowded
    mine = _extent(cluster) if asked else None
    too_large = mine is not None and _too_large(mine, command)
    if by is not None and mine and not too_large and identifiers.greater(by, root):
        return _link_to(by, cluster), [Command(by, _everything(cluster, root, by, when))]
    if changed and len(cluster["members"]) > 1:  # what one identifier states of others joins nobody here
        outputs += review(cluster, identifiers, cause)
        outputs += evaluate(cluster, definitions, cause.name, cause.at, f"{cause.name} {pair}")
    if by is None or mine is None:
        return cluster, outputs
    if too_large:
        refusal = {"v": VERSION, "kind": "refuse", "link": pair, "when": when}
        return cluster, [*outputs, *refuse(cluster, pair, cause), Command(by, refusal)]
    body = {name: command[name] for name in ("to", "link", "when", "says")}
    return cluster, [*outputs, Command(by, _claim(mine, root, body))]


def refused(cluster: Cluster, command: Refuse) -> list[Output]:
    """The other side refused a claim of this root."""
    cluster["rev"] += 1
    return [*refuse(cluster, command["link"], cause_of(command["when"]))]


def absorb(cluster: Cluster, root: str, command: Absorb, definitions: Definitions) -> list[Output]:
    """Take over everything of a root that gave itself up."""
    cause, identifiers = cause_of(command["when"]), definitions.identifiers
    outputs: list[Output] = [*advance(cluster, max(cluster["at"], command["at"]), definitions)]
    gave = command["giver"], command["to"]
    relink = {"v": VERSION, "kind": "relink", "owner": root}
    outputs += [Command(member, relink) for member in command["members"] if (member, root) != gave]
    cluster["members"] = identifiers.sorted({*cluster["members"], *command["members"]})
    for primary, part in command["parts"].items():
        mine = cluster["parts"].get(primary)
        cluster["parts"][primary] = part if mine is None else union((mine, part))
    join(cluster, command["links"], command["said"])
    for pair, stated in command["refused"].items():
        cluster["refused"][pair] = max(stated, cluster["refused"].get(pair, stated), key=itemgetter(1))
    cluster["published"] |= command["published"]
    cluster["rev"] = max(cluster["rev"], command["rev"]) + 1
    outputs += review(cluster, identifiers, cause)
    return outputs + evaluate(cluster, definitions, cause.name, cause.at, f"{cause.name} {command['giver']}")


def relink(state: State | None, owner: str, identifiers: Identifiers) -> list[Output]:
    """Point a Link to a greater owner."""
    if state is not None and state["kind"] == "link" and identifiers.greater(owner, state["owner"]):
        state["owner"] = owner
        state["rev"] += 1
    return []


def _extent(cluster: Cluster) -> dict[str, int]:
    """What a claim tells of its root: identifiers known to be connected, and bytes of its facts and links."""
    bytes_ = len(orjson.dumps(cluster["parts"])) + len(orjson.dumps(cluster["links"]))
    return {"size": known_size(cluster), "bytes": bytes_}


def _too_large(mine: dict[str, int], command: Claim) -> bool:
    return mine["size"] + command["size"] > MAX_MEMBERS or mine["bytes"] + command["bytes"] > MAX_STATE_BYTES


def _claim(mine: dict[str, int], by: str | None, body: dict[str, Any]) -> dict[str, Any]:
    return {"v": VERSION, "kind": "claim", "by": by, **mine, **body}


def _everything(cluster: Cluster, giver: str, to: str, when: list[Any]) -> dict[str, Any]:
    names = ("members", "parts", "links", "said", "refused", "published", "at", "rev")
    taken = {name: cluster[name] for name in names}  # type: ignore[literal-required]
    return {"v": VERSION, "kind": "absorb", "giver": giver, "to": to, "when": when, **taken}


def _link_to(owner: str, cluster: Cluster) -> Link:
    return {
        "v": FORMAT, "kind": "link", "owner": owner, "rev": cluster["rev"],
        "seen": cluster["seen"], "seen_overflow": cluster["seen_overflow"],
    }  # fmt: skip
