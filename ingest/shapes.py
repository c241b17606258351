"""What each of Segment's types brings: its event's name, and what it puts where. Pure; one registry.

A shape is `(message, properties, traits) -> (name, properties, traits)`, or Refusal for what its type needs.
"""

from collections.abc import Callable
from typing import Any

from ingest.identifiers import text
from ingest.refusal import invalid

Fields = dict[str, Any]
Shape = Callable[[Fields, Fields, Fields], tuple[str, Fields, Fields]]
MAX_NAME = 200


def _track(message: Fields, properties: Fields, traits: Fields) -> tuple[str, Fields, Fields]:
    name = message.get("event")
    if type(name) is not str or not 0 < len(name) <= MAX_NAME or not name.strip():
        raise invalid(f"track needs event, a text of 1 to {MAX_NAME} characters")
    return name, properties, traits


def _identify(_: Fields, properties: Fields, traits: Fields) -> tuple[str, Fields, Fields]:
    return "Identified", properties, traits


def _page(message: Fields, properties: Fields, traits: Fields) -> tuple[str, Fields, Fields]:
    return "Page Viewed", _named(message, properties), traits


def _screen(message: Fields, properties: Fields, traits: Fields) -> tuple[str, Fields, Fields]:
    return "Screen Viewed", _named(message, properties), traits


def _group(message: Fields, properties: Fields, traits: Fields) -> tuple[str, Fields, Fields]:
    """The traits of a group are the group's, not the customer's."""
    group = message.get("groupId")
    if group is None or group == "":
        raise invalid("group needs groupId")
    return "Grouped", {**properties, "groupId": text(group, "groupId"), "traits": traits}, {}


def _alias(message: Fields, properties: Fields, traits: Fields) -> tuple[str, Fields, Fields]:
    if message.get("userId") in (None, ""):
        raise invalid("alias needs userId")
    return "Aliased", properties, traits


def _named(message: Fields, properties: Fields) -> Fields:
    """The name and category of a page or screen are among its properties, as Segment has them."""
    given = {field: message[field] for field in ("name", "category") if message.get(field) is not None}
    return {**given, **properties}


SHAPES: dict[str, Shape] = {
    "track": _track,
    "identify": _identify,
    "page": _page,
    "screen": _screen,
    "group": _group,
    "alias": _alias,
}
