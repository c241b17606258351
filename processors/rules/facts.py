"""Facts: fold one event into the part of its primary identifier."""

from typing import Any

import orjson

from processors.calendar import Calendar
from processors.rules.seen import BOOKED
from schemas.books import post
from schemas.event import EventBody
from schemas.facts import (
    MAX_DAYS,
    MAX_NAMES,
    MAX_TRAIT_CHARS,
    Part,
    bound_days,
    bound_names,
    put_identifier,
    put_trait,
)
from schemas.identity import namespace_of
from schemas.semantics import NOT_OWN, entry_of


def fold(part: Part, keys: list[str], event: EventBody, digest: str, calendar: Calendar) -> None:
    """Add the event to the part, in place. BooksFull, and nothing added, where the books have no room for it."""
    name, at = event["name"], event["occurred_at"]
    if name in BOOKED:
        entry = entry_of(name, event["properties"], event["message_id"])
        if entry is not None:
            post(part["books"], event["source"], entry, at, event["message_id"], digest)
    part["events"] += 1
    part["first"] = min(part["first"], at)
    part["last"] = max(part["last"], at)
    _count_name(part, name, at)
    if name not in NOT_OWN:
        _own(part, at, calendar.day_of(at))
    channels, sources = part["channels"], part["sources"]
    channel, source = event["channel"], event["source"]
    channels[channel] = channels.get(channel, 0) + 1
    sources[source] = sources.get(source, 0) + 1
    if event["identifiers"]:
        _identifiers(part["identifiers"], keys, event["identifiers"])
    if event["traits"]:
        _traits(part["traits"], event["traits"], at, event["message_id"])


def _count_name(part: Part, name: str, at: int) -> None:
    names = part["names"]
    counted = names.get(name)
    if counted is None:
        names[name] = [1, at, at]
        if len(names) > MAX_NAMES:
            bound_names(part)
        return
    counted[0] += 1
    counted[1] = min(counted[1], at)
    counted[2] = max(counted[2], at)


def _own(part: Part, at: int, day: int) -> None:
    first, last = part["own_first"], part["own_last"]
    if first is None or at < first:
        part["own_first"] = at
    if last is None or at > last:
        part["own_last"] = at
    days, key = part["days"], str(day)
    days[key] = days.get(key, 0) + 1
    if len(days) > MAX_DAYS:
        bound_days(days)


def _identifiers(known: dict[str, dict[str, str]], keys: list[str], stated: dict[str, list[str]]) -> None:
    """Note clear values with their keys: within a namespace an event lists both in the order of the keys."""
    if len(keys) == 1:
        for namespace, values in stated.items():
            mine = known.get(namespace)
            for value in values:
                if mine is None or value not in mine:
                    put_identifier(known, namespace, value, keys[0])
        return
    by_namespace: dict[str, list[str]] = {}
    for key in keys:
        by_namespace.setdefault(namespace_of(key), []).append(key)
    for namespace, values in stated.items():
        for value, key in zip(values, by_namespace.get(namespace, ()), strict=False):
            put_identifier(known, namespace, value, key)


def _traits(traits: dict[str, list[Any]], stated: dict[str, Any], at: int, message_id: str) -> None:
    for name, value in stated.items():
        if len(orjson.dumps(value)) <= MAX_TRAIT_CHARS:
            put_trait(traits, name, [at, message_id, value])
