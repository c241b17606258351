"""Who is one customer, from the whole log at once: union-find over everything that was stated, in order of time.

It imports nothing of the rooms that it judges, not even `schemas`.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

Body = dict[str, Any]
Rules = dict[str, dict[str, Any]]
"""Namespace -> rank, unique, shared, limit."""


class Stated(NamedTuple):
    """One event: the keys of its identifiers, greatest first, and its body."""

    keys: list[str]
    body: Body


class Customer(NamedTuple):
    """One customer: identifiers, and the events of each primary identifier among them."""

    members: frozenset[str]
    events: list[Body]


def namespace(key: str) -> str:
    return key.split(":", maxsplit=1)[0].split("/", maxsplit=1)[0]


def place(key: str, rules: Rules) -> tuple[int, str, str]:
    return rules[namespace(key)]["rank"], key.split(":")[1], key.split(":", maxsplit=1)[0]


def _first_copies(log: Iterable[Stated]) -> list[Stated]:
    once: dict[tuple[str, str, str], Stated] = {}
    for one in log:
        once.setdefault((one.keys[0], one.body["source"], one.body["message_id"]), one)
    return list(once.values())


def customers(log: Iterable[Stated], rules: Rules) -> tuple[list[Customer], set[tuple[str, str]]]:
    """Every customer that has facts, and the conflicts: pairs that a statement links and that are two all the same.

    A pair that another statement joined after all is no conflict, nor is one of which neither end is a customer's.
    """
    log = _first_copies(log)
    links: dict[tuple[str, str], tuple[Any, ...]] = {}
    said: dict[tuple[str, str], tuple[Any, ...]] = {}
    ids = {key for one in log for key in one.keys}
    for keys, body in log:
        when = (body["occurred_at"], body["message_id"], body["source"])
        says = body.get("says")
        for other in keys[1:]:
            pair = (keys[0], other)
            if says and list(pair) == list(says[1:]):
                said[pair] = max((*when, says[0]), said.get(pair, (*when, says[0])))
            else:
                links[pair] = min(when, links.get(pair, when))
    crowded = _crowded(links, rules)
    ordered = [(when, pair, False) for pair, when in links.items() if not crowded & set(pair)]
    ordered += [(when[:3], pair, True) for pair, when in said.items() if when[3] == "alias"]
    group = {key: {key} for key in ids}
    taken, refused = set[str](), set[tuple[str, str]]()
    for _, (a, b), alias in sorted(ordered):
        one, two = group[a], group[b]
        if one is two:
            continue
        if (rules[namespace(b)]["shared"] and b in taken) or not _may_join(one, two, said, rules, alias):
            refused.add((a, b))
            continue
        taken.add(b)
        one |= two
        for key in two:
            group[key] = one
    found = []
    for members in {id(g): g for g in group.values()}.values():
        mine = [o.body for o in log if o.keys[0] in members and o.body["type"] not in ("link", "split")]
        if mine:
            found.append(Customer(frozenset(members), mine))
    facts = {key for customer in found for key in customer.members}
    conflicts = {pair for pair in refused if group[pair[0]] is not group[pair[1]] and facts & set(pair)}
    return found, conflicts


def _crowded(links: Iterable[tuple[str, str]], rules: Rules) -> set[str]:
    met: dict[tuple[str, str], set[str]] = {}
    for a, b in links:
        met.setdefault((a, namespace(b)), set()).add(b)
        met.setdefault((b, namespace(a)), set()).add(a)
    return {key for (key, _), others in met.items() if len(others) > rules[namespace(key)]["limit"]}


def _may_join(
    one: set[str], two: set[str], said: dict[tuple[str, str], tuple[Any, ...]], rules: Rules, alias: bool
) -> bool:
    for (a, b), stated in said.items():
        if stated[3] == "split" and ((a in one and b in two) or (a in two and b in one)):
            return False
    if alias:
        return True
    unique = [{k.split(":")[0] for k in side if rules[namespace(k)]["unique"]} for side in (one, two)]
    return not unique[0] & unique[1]
