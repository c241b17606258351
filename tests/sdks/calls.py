"""What the SDKs are told, and what the log has to say of it."""

from typing import Any

Call = dict[str, Any]

CALLS: dict[str, Call] = {
    "identify": {"userId": "ada", "traits": {"email": "ada@example.com", "plan": "gold"}},
    "track": {"userId": "ada", "event": "Visit Planned", "properties": {"shop": "Søhø ✓", "guests": 2}},
    "page": {"userId": "ada", "category": "Shop", "name": "Home", "properties": {"theme": "dark"}},
    "screen": {"userId": "ada", "category": "App", "name": "Start", "properties": {"build": 7}},
    "group": {"userId": "ada", "groupId": "book-club", "traits": {"city": "Zürich"}},
    "alias": {"userId": "ada", "previousId": "ada-before"},
}
"""One of each type; an SDK in a browser knows the userId from `identify`."""
NAMES = {
    "identify": "Identified",
    "page": "Page Viewed",
    "screen": "Screen Viewed",
    "group": "Grouped",
    "alias": "Aliased",
}
INVALID: Call = {
    "type": "track",
    "userId": "ada",
    "event": "Order Completed",
    "properties": {"order_id": "1", "total": "twelve"},
}


def all_calls() -> list[Call]:
    return [{"type": kind, **call} for kind, call in CALLS.items()]


def track(event: str) -> Call:
    """A call that is told from others by its event."""
    return {"type": "track", **CALLS["track"], "event": event}


def check(event: dict[str, Any], call: Call) -> None:
    """The event says what the call said."""
    assert event["type"] == call["type"]
    assert event["name"] == call.get("event", NAMES.get(call["type"]))
    users = {call[name] for name in ("userId", "previousId") if name in call}
    assert users <= set(event["identifiers"].get("user_id", []))
    properties: Call = {name: call[name] for name in ("category", "name", "groupId") if name in call}
    properties |= call.get("properties", {})
    if call["type"] == "group":
        properties["traits"] = event["properties"]["traits"] | call["traits"]
    else:
        assert call.get("traits", {}).items() <= event["traits"].items()
    assert properties == {name: event["properties"].get(name) for name in properties}
