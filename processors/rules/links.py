"""Links: remember which identifiers an event names together, and what was said of a pair.

A link is (greater, lesser) -> the least (occurred_at, message_id, source) that stated it; of what was said of a pair
the latest counts. What is kept is bounded: a crowded identifier remembers no more links, and a cluster MAX_LINKS.
"""

from typing import Any

from processors.identifiers import Identifiers, ends
from schemas.event import EventBody
from schemas.state import MAX_COUNTLESS, MAX_LINKS, Cluster


def statements(keys: list[str], event: EventBody) -> list[tuple[str, str]]:
    """What an event states: ("greater lesser", link | alias | split) of its primary and each other identifier.

    And of the two that it says something of, where its primary is a third.
    """
    primary, says = keys[0], event.get("says")
    found = {f"{primary} {other}": "link" for other in keys[1:]}
    if says is not None and (says[1] != primary or says[2] in keys[1:]):
        found[f"{says[1]} {says[2]}"] = says[0]
    return list(found.items())


def when_of(event: EventBody) -> list[Any]:
    """The time of a statement: [occurred_at, message_id, source], by which statements are ordered."""
    return [event["occurred_at"], event["message_id"], event["source"]]


def note(
    cluster: Cluster, pair: str, when: list[Any], says: str, own: str, identifiers: Identifiers
) -> tuple[bool, bool]:
    """Note a statement of an identifier that is `own`: (whether it is news, whether the view may change).

    A split is never news: nobody is to be asked to join.
    """
    if says != "link":
        said = [*when, says]
        changed = said > cluster["said"].get(pair, [])
        if changed:
            _bounded(cluster["said"], pair, said)
        return says == "alias", changed
    known = cluster["links"].get(pair)
    if known is not None:
        if when < known:
            cluster["links"][pair] = when
        return False, when < known
    mine = {end for end in ends(pair) if end == own or end in cluster["members"]}
    if mine and not mine <= identifiers.crowded(cluster["links"]):
        _bounded(cluster["links"], pair, when)
        return True, True
    return True, False


def one_too_many(cluster: Cluster, pair: str, identifiers: Identifiers) -> bool:
    """Whether this links an order, or the like, beyond those that a cluster remembers.

    So that a customer's orders leave room for what tells who the customer is.
    """
    links = cluster["links"]
    return (
        len(links) >= MAX_COUNTLESS
        and identifiers.is_countless(ends(pair)[1])
        and pair not in links
        and sum(identifiers.is_countless(ends(known)[1]) for known in links) >= MAX_COUNTLESS
    )


def join(cluster: Cluster, links: dict[str, list[Any]], said: dict[str, list[Any]]) -> None:
    """Take over another's statements."""
    for pair, when in links.items():
        _bounded(cluster["links"], pair, min(when, cluster["links"].get(pair, when)))
    for pair, stated in said.items():
        _bounded(cluster["said"], pair, max(stated, cluster["said"].get(pair, stated)))


def _bounded(pairs: dict[str, list[Any]], pair: str, stated: list[Any]) -> None:
    pairs[pair] = stated
    if len(pairs) > MAX_LINKS:
        del pairs[max(pairs)]
